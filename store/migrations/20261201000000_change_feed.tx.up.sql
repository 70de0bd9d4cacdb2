-- A device that was offline asks what has changed since, so each change of a record leaves a row.
-- works with: 20261123000000

-- The letters of kind are those of model.ChangeKind: P patient, M mapping, D doctor entry, U account. patient is set for P
-- and M: the patient that the change concerns. accounts are those that lose access by this very change. For D and U they
-- are those whose standing changes as a whole.
CREATE TABLE change_feed (
    xid      xid8   NOT NULL DEFAULT pg_current_xact_id(),
    seq      bigint GENERATED ALWAYS AS IDENTITY,
    kind     "char" NOT NULL,
    id       bigint NOT NULL,
    patient  bigint,
    accounts bigint[],
    at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX change_feed_order ON change_feed (xid, seq);
CREATE INDEX change_feed_patient ON change_feed (patient, xid) WHERE patient IS NOT NULL;
CREATE INDEX change_feed_doctors ON change_feed (xid, id) WHERE kind = 'D';
CREATE INDEX change_feed_accounts ON change_feed USING gin (accounts) WHERE accounts IS NOT NULL;

-- The one row says which feed this is, and up to which transaction its rows are gone. A new epoch makes every device
-- start from the beginning.
CREATE TABLE feed_state (epoch uuid NOT NULL, pruned xid8 NOT NULL);
INSERT INTO feed_state VALUES (gen_random_uuid(), '0');

-- For operators who change a record by SQL: call it after the change, in the same transaction. It names the accounts that
-- a deletion, an ended mapping or another standing concerns as the records are now.
CREATE FUNCTION caregraph_changed(kind "char", id bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO change_feed (kind, id, patient, accounts)
    SELECT $1, $2,
        CASE $1 WHEN 'P' THEN $2 WHEN 'M' THEN (SELECT m.patient_id FROM mappings AS m WHERE m.id = $2) END,
        CASE $1
            WHEN 'U' THEN ARRAY[$2]
            WHEN 'D' THEN (SELECT ARRAY[d.account_id] FROM doctors AS d WHERE d.id = $2 AND d.account_id IS NOT NULL)
            WHEN 'M' THEN (SELECT ARRAY[d.account_id] FROM mappings AS m JOIN doctors AS d ON d.id = m.doctor_id
                WHERE m.id = $2 AND NOT m.is_active AND d.is_verified AND d.deleted_at IS NULL AND d.account_id IS NOT NULL)
            WHEN 'P' THEN (SELECT array_agg(a.account) FROM (
                SELECT p.created_by AS account FROM patients AS p WHERE p.id = $2 AND p.deleted_at IS NOT NULL
                UNION SELECT d.account_id FROM patients AS p JOIN mappings AS m ON m.patient_id = p.id JOIN doctors AS d ON d.id = m.doctor_id
                WHERE p.id = $2 AND p.deleted_at IS NOT NULL AND (m.is_active OR m.ended_at >= p.deleted_at)
                    AND d.is_verified AND d.deleted_at IS NULL AND d.account_id IS NOT NULL
                UNION SELECT g.account_id FROM patients AS p JOIN grants AS g ON g.patient_id = p.id OR g.patient_id IS NULL AND g.granter_id = p.created_by
                WHERE p.id = $2 AND p.deleted_at IS NOT NULL AND g.account_id IS NOT NULL
                    AND g.accepted_at IS NOT NULL AND g.ended_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > now())) AS a)
        END
$$;
