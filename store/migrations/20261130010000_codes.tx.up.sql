-- An account proves by a code or a link that it receives mail at its address, and by a code that it is the one to link.
-- works with: 20261123000000

-- One living code of each kind per account. Both hashes are keyed; a code is short, a token is the secret part of a link.
CREATE TABLE codes (
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    kind       text NOT NULL,
    code_hash  bytea,
    token_hash bytea,
    expires_at timestamptz NOT NULL,
    tries      smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, kind)
);
CREATE UNIQUE INDEX codes_token_key ON codes (token_hash);
