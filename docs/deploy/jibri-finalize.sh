#!/bin/sh
# Jibri's finalize script: hands each recording to lexchat and deletes it here once that is answered.
#
# In jibri.conf: jibri.recording.finalize-script = "/usr/local/bin/jibri-finalize.sh"
# CHAT_URL is the server's address; LEXCHAT_JIBRI_TOKEN_FILE names a file (0600, the user that
# runs Jibri) with the token that `lexchat serve --jibri-token-file` reads. Needs curl and jq.
#
# 200 and 201 mean that lexchat has the recording, or that not everybody in the call had agreed to
# it: either way it is deleted here. After any other answer it stays, and is sent again by
# `jibri-finalize.sh FOLDER`: the folder's name is the session, which is stored once.
set -eu

folder=$1
url=${CHAT_URL:?the address of lexchat is not set}
token_file=${LEXCHAT_JIBRI_TOKEN_FILE:-/etc/jibri/lexchat-token}

session=$(basename "$folder")
room=$(jq -r '.meeting_url' "$folder/metadata.json" | sed 's/[?#].*$//; s#.*/##')

for file in "$folder"/*.mp4; do
  [ -f "$file" ] || continue
  # The header comes from a file, so that no list of processes shows the token.
  status=$(printf 'Authorization: Bearer %s\n' "$(cat "$token_file")" |
    curl --silent --show-error --output /dev/null --write-out '%{http_code}' --retry 5 --retry-all-errors \
      --header @- --header 'Content-Type: video/mp4' --upload-file "$file" --request POST \
      "$url/hooks/jibri?room=$room&session=$session")
  case $status in
    200 | 201) rm -f "$file" ;;
    *)
      echo "lexchat answered $status: $file stays here" >&2
      exit 1
      ;;
  esac
done
rm -rf "$folder"
