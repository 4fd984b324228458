#!/bin/sh
# Writes the files that docker-compose.yml reads, with new passwords, and never overwrites them.
# Usage: sh deploy/make-compose-env.sh api.example.com
set -eu
site="${1:?usage: sh deploy/make-compose-env.sh SITE_ADDRESS}"
cd "$(dirname "$0")/.."
for file in compose.env compose.database.env compose.proxy.env compose.valkey.env; do
    if [ -e "$file" ]; then
        echo "$file exists; delete it first if you mean to replace its passwords" >&2
        exit 1
    fi
done
umask 077
secret() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
app=$(secret) owner=$(secret) postgres=$(secret) valkey=$(secret)
sed -e "s|api.example.com|$site|" -e "s|^SECRET_KEY=.*|SECRET_KEY=$(secret)|" \
    -e "s|APP_PASSWORD|$app|" -e "s|VALKEY_PASSWORD|$valkey|" compose.env.example >compose.env
cat >compose.database.env <<END
# Passwords of the database. DATABASE_URL is that of its owner, for migrations and backups.
POSTGRES_PASSWORD=$postgres
OWNER_PASSWORD=$owner
APP_PASSWORD=$app
DATABASE_URL=postgresql://owner:$owner@postgres:5432/app
END
echo "SITE_ADDRESS=$site" >compose.proxy.env
echo "VALKEY_PASSWORD=$valkey" >compose.valkey.env
echo "Set SMTP_URL in compose.env, then: docker compose up --detach"
