#!/bin/sh
# Dumps DATABASE_URL into a new file in BACKUP_DIRECTORY, prints its name, and deletes dumps older than BACKUP_KEEP_DAYS.
set -eu
file="$BACKUP_DIRECTORY/$(date -u +%Y%m%dT%H%M%SZ).dump"
pg_dump --format=custom --no-owner --file="$file.part" "$DATABASE_URL"
mv "$file.part" "$file" # a file named .dump is complete
find "$BACKUP_DIRECTORY" -name '*.dump' -mtime "+${BACKUP_KEEP_DAYS:-14}" -delete
echo "$file"
