-- Lets in whoever brings a token, by the rules of Jitsi's servers: prosody's own reader of tokens opens it; the type, the
-- issuer, the audience and the time must be right, to the second.
local jwt = require "util.jwt";
local sasl = require "util.sasl";
local formdecode = require "util.http".formdecode;
local json = require "util.json";
local base64 = require "util.encodings".base64;
local uuid = require "util.uuid".generate;

local app_id = module:get_option_string("app_id");
local app_secret = module:get_option_string("app_secret");

local function refused(token)
	if not token then return "no token"; end
	local header = json.decode(base64.decode((token:match("^[^.]*"):gsub("-", "+"):gsub("_", "/")) .. "=="));
	if type(header) ~= "table" or header.typ ~= "JWT" then return "not of the type JWT"; end
	local opened, claims = jwt.verify(app_secret, token);
	if not opened then return claims; end
	if claims.iss ~= app_id then return "another issuer"; end
	if claims.aud ~= "jitsi" then return "another audience"; end
	local now = os.time();
	if type(claims.exp) ~= "number" or claims.exp < now then return "expired"; end
	if type(claims.nbf) ~= "number" or claims.nbf > now then return "too early"; end
	if type(claims.room) ~= "string" then return "no room"; end
	for _, value in pairs(claims.context.user) do
		if type(value) ~= "string" then return "not text in user"; end
	end
	return nil, claims;
end

module:hook_global("bosh-session", function (event)
	local query = event.request.url.query;
	event.session.jitsi_token = query and formdecode(query).token;
end);

sasl.registerMechanism("ANONYMOUS", { "anonymous" }, function (self)
	local reason = self.profile.anonymous(self);
	if reason then return "failure", "not-authorized", reason; end
	self.username = uuid();
	return "success";
end);

module:provides("auth", {
	get_sasl_handler = function (session)
		return sasl.new(module.host, {
			anonymous = function ()
				local reason, claims = refused(session.jitsi_token);
				session.jitsi_claims = claims;
				return reason;
			end;
		});
	end;
});
