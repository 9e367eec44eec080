"""A prosody of our own that lets in by tokens as Jitsi's servers do, and somebody who comes to it as Jitsi's page does:
over BOSH, with the token in the address."""

import http.client
import pathlib
import subprocess
import urllib.parse
import uuid
import xml.etree.ElementTree

from house import free_port, until

HOST, APP_ID, SECRET = "meet.cabinet.example", "lexchat", "a secret of thirty-two bytes or more"
MODULES = pathlib.Path(__file__).parent / "prosody"
BOSH = "http://jabber.org/protocol/httpbind"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"


class Prosody:
    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        (folder / "data").mkdir()
        (folder / "prosody.cfg.lua").write_text(f"""
run_as_root = true
daemonize = false
pidfile = "{folder}/pid"
data_path = "{folder}/data"
certificates = "{folder}"
plugin_paths = {{ "{MODULES}" }}
log = {{ info = "{folder}/log" }}
modules_enabled = {{ "saslauth", "bosh" }}
modules_disabled = {{ "s2s", "tls", "offline" }}
c2s_ports = {{}}
s2s_ports = {{}}
https_ports = {{}}
http_ports = {{ {self.port} }}
http_interfaces = {{ "127.0.0.1" }}
http_default_host = "{HOST}"
consider_bosh_secure = true
c2s_require_encryption = false
VirtualHost "{HOST}"
  authentication = "jitsi_token"
  app_id = "{APP_ID}"
  app_secret = "{SECRET}"
Component "conference.{HOST}" "muc"
  modules_enabled = {{ "jitsi_room" }}
  muc_room_locking = false
""")
        self.process = subprocess.Popen(
            ["/usr/bin/prosody", "--config", folder / "prosody.cfg.lua", "-F"],
            stdin=subprocess.DEVNULL, stdout=(folder / "out").open("wb"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        until(lambda: f"prosody answers: {self.log()}", self._is_ready, 30)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def log(self):
        return "\n".join(path.read_text() for path in (self.folder / "out", self.folder / "log") if path.exists())

    def _is_ready(self):
        assert self.process.poll() is None, self.log()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/http-bind", headers={"Host": HOST})
            return connection.getresponse().status == 200
        except OSError:
            return False

    def enter(self, token, room):
        """Comes with a token and enters a room: `joined`, or at which door it ended and why."""
        visitor = _Visitor(self.port, token)
        visitor.say("", f"to='{HOST}' ver='1.6' wait='5' hold='1' xml:lang='en'")
        answer = visitor.say(f"<auth xmlns='{SASL}' mechanism='ANONYMOUS'/>")
        failure = answer.find(f".//{{{SASL}}}failure")
        if failure is not None:
            return "refused at the door: " + "".join(failure.itertext()).strip()
        assert answer.find(f".//{{{SASL}}}success") is not None, visitor.heard
        visitor.say("", f"to='{HOST}' xmpp:restart='true'")
        bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
        visitor.say(f"<iq xmlns='jabber:client' type='set' id='b'>{bind}</iq>")
        to = f"{room}@conference.{HOST}/{uuid.uuid4()}"
        muc = "<x xmlns='http://jabber.org/protocol/muc'/>"
        answer = visitor.say(f"<presence xmlns='jabber:client' to='{to}'>{muc}</presence>")
        presences = answer.findall("{jabber:client}presence")
        while not presences:
            answer = visitor.say("")
            presences = answer.findall("{jabber:client}presence")
        if presences[0].get("type") == "error":
            return "refused at the room: " + "".join(presences[0].itertext()).strip()
        return "joined"


class _Visitor:
    """One BOSH session."""

    def __init__(self, port, token):
        self.port, self.rid, self.sid, self.heard = port, 1000, None, ""
        self.path = "/http-bind" + (f"?{urllib.parse.urlencode({'token': token})}" if token else "")

    def say(self, stanzas, attributes=""):
        self.rid += 1
        sid = f"sid='{self.sid}'" if self.sid else ""
        body = (
            f"<body xmlns='{BOSH}' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0' rid='{self.rid}' {sid} {attributes}>"
            f"{stanzas}</body>"
        )
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Host": HOST, "Content-Type": "text/xml; charset=utf-8"}
        connection.request("POST", self.path, body.encode(), headers)
        self.heard = connection.getresponse().read().decode()
        answer = xml.etree.ElementTree.fromstring(self.heard)
        self.sid = answer.get("sid") or self.sid
        return answer
