-- Lets nobody make or enter another room than the one in their token.
local jid_node = require "util.jid".node;
local stanza = require "util.stanza";

local function check(event)
	local claims = event.origin.jitsi_claims;
	if claims and claims.room:lower() == jid_node(event.room.jid) then return; end
	event.origin.send(stanza.error_reply(event.stanza, "cancel", "not-allowed", "another room"));
	return true;
end

module:hook("muc-room-pre-create", check, 99);
module:hook("muc-occupant-pre-join", check, 99);
