-- A device that signed in before signs in again, also while others guess.
-- works with: 20261123000000

-- hash is the SHA-256 of the token that the device keeps.
CREATE TABLE devices (
    account_id   bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    hash         bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, hash)
);
