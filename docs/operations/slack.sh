#!/bin/sh
# Post each change to Slack, or to any webhook that takes {"text": ...} (Mattermost, Rocket.Chat):
#   SLACK_WEBHOOK=https://hooks.slack.com/services/... eventstudy refresh study.toml --on-change ./slack.sh
set -eu
text=$(printf '%s' "$EVENTSTUDY_SUMMARY" |
    sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/\\/\\\\/g' -e 's/"/\\"/g')
printf '{"text": "%s"}' "$text" |
    curl --fail --silent --show-error --max-time 60 --header 'Content-Type: application/json' \
        --data-binary @- --output /dev/null "$SLACK_WEBHOOK"
