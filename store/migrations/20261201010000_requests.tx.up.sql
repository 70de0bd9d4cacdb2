-- A client whose answer was lost sends its request again, with the same key, and must not create a second record.
-- works with: 20261123000000

-- hash is an HMAC of what a request with the key must be. result is the id of the record in the answer, kind the letter of
-- its type, and refusal the userErrors without texts. No value of a record stands here.
CREATE TABLE requests (
    account bigint NOT NULL,
    key     text NOT NULL,
    hash    bytea NOT NULL,
    kind    "char" NOT NULL,
    result  bigint,
    refusal jsonb,
    at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT requests_pkey PRIMARY KEY (account, key)
);
CREATE INDEX requests_at ON requests (at);
