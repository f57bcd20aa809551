#!/bin/sh
# Mail each change, the summary as its subject and the newest part of changes.md as its text:
#   SMTP_URL=smtp://mail.example.com MAIL_FROM=study@example.com MAIL_TO=quants@example.com \
#       eventstudy refresh study.toml --on-change ./mail.sh
# With a password: SMTP_URL=smtps://... and user and password in ~/.netrc.
set -eu
{
    printf 'From: <%s>\r\nTo: <%s>\r\n' "$MAIL_FROM" "$MAIL_TO"
    printf 'Subject: =?UTF-8?B?%s?=\r\n' "$(printf '%s' "$EVENTSTUDY_SUMMARY" | base64 | tr -d '\n')"
    printf 'Message-ID: <%s@eventstudy>\r\nMIME-Version: 1.0\r\n' "$EVENTSTUDY_ID"
    printf 'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    head -c 50000 "$EVENTSTUDY_RUN/changes.md" | base64
} | curl --fail --silent --show-error --max-time 60 --netrc-optional --url "$SMTP_URL" \
    --mail-from "$MAIL_FROM" --mail-rcpt "$MAIL_TO" --upload-file -
