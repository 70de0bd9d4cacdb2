-- A second factor: the code of an authenticator app at each sign-in.
-- works with: 20261123000000

-- totp_seed is in use, totp_pending waits for its first code; both are sealed with a key of the server. totp_step is the
-- time step of the last code that was used.
ALTER TABLE users ADD COLUMN totp_seed bytea, ADD COLUMN totp_pending bytea, ADD COLUMN totp_step bigint;

-- A recovery code stands for one code of a lost app. hash is under a key of the server.
CREATE TABLE recovery_codes (
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    hash       bytea NOT NULL,
    PRIMARY KEY (account_id, hash)
);
