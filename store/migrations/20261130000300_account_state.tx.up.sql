-- Some rights need an address that receives mail, and an account can ask for a second factor.
-- works with: 20261123000000
ALTER TABLE users ADD COLUMN is_confirmed boolean NOT NULL DEFAULT false, ADD COLUMN has_totp boolean NOT NULL DEFAULT false;
