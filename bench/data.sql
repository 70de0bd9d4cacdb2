-- Fills a migrated database with :patients patients, 50 to an ordinary account
-- and 50 to a doctor, and three mappings to each patient. Deterministic.
-- bench_owners says which patients belong to the accounts that are measured.

CREATE FUNCTION pg_temp.mix(n bigint, salt int) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS $$ SELECT ((n + salt * 7919) * 2654435761) % 1000003 $$;
CREATE FUNCTION pg_temp.pick(list text[], n bigint) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT list[1 + (n % cardinality(list))::int] $$;
CREATE FUNCTION pg_temp.person(n bigint) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT pg_temp.pick('{Arjun,Sunita,Imran,Lakshmi,Harpreet,Ananya,Venkatesh,Fatima,Rohan,Meenakshi}', pg_temp.mix(n, 1))
        || ' ' || pg_temp.pick('{Sharma,Iyer,Khan,Chatterjee,Deshmukh,Reddy,Nair,Patel,Singh,Fernandes,Mukherjee}', pg_temp.mix(n, 2)) $$;
CREATE FUNCTION pg_temp.place(n bigint) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT 1 + pg_temp.mix(n, 3) % 200 || ', '
        || pg_temp.pick('{MG Road,Park Street,Linking Road,Anna Salai,Station Road,Ring Road}', pg_temp.mix(n, 4)) || ', '
        || pg_temp.pick('{"Bengaluru, Karnataka 560001","Kolkata, West Bengal 700016","Mumbai, Maharashtra 400050","Chennai, Tamil Nadu 600002"}', pg_temp.mix(n, 5)) $$;

INSERT INTO users (username, email, role, password_hash)
SELECT 'account_' || n, 'account' || n || '@example.com', 'PATIENT', '!'
FROM generate_series(1, :patients / 50) AS n;

INSERT INTO doctors (name, email, phone, specialization, license_number, experience_years, address,
    consultation_fee, availability, is_verified, account_id, created_by, created_at, updated_at)
SELECT 'Dr. ' || pg_temp.person(n), 'doctor' || n || '@hospital.example.com', '+9198' || 40000000 + n,
    pg_temp.pick('{Cardiology,General Medicine,Pediatrics,Orthopedics,Dermatology,Obstetrics and Gynecology}', pg_temp.mix(n, 6)),
    'KMC/' || 20000 + n, 3 + n % 30, 'City Hospital, ' || pg_temp.place(n), 300 + n % 20 * 50, 'Mon-Fri 9AM-5PM, Sat 9AM-1PM',
    true, CASE WHEN n = 1 THEN :doctor END, (SELECT min(id) FROM users WHERE password_hash = '!') + n - 1,
    timestamptz '2019-01-01' + n * interval '1 hour', timestamptz '2019-01-01' + n * interval '90 minutes'
FROM generate_series(1, :patients / 50) AS n;

INSERT INTO patients (name, date_of_birth, gender, email, phone, address, emergency_contact, blood_group,
    medical_history, created_by, created_at, updated_at)
SELECT pg_temp.person(n), date '1940-01-01' + (pg_temp.mix(n, 7) % 30000)::int,
    pg_temp.pick('{MALE,FEMALE,FEMALE,MALE,OTHER}', pg_temp.mix(n, 8)), 'patient' || n || '@mail.example.com',
    '+9197' || 10000000 + n, 'Flat ' || pg_temp.place(n), '+9196' || 10000000 + n,
    pg_temp.pick('{A_POSITIVE,B_POSITIVE,O_POSITIVE,AB_POSITIVE,O_NEGATIVE,A_NEGATIVE}', pg_temp.mix(n, 9)),
    pg_temp.pick('{"Hypertension, on telmisartan 40 mg.","Childhood asthma, inhaler when needed.","Coronary artery disease, stent in 2022, on aspirin and atorvastatin.","Iron deficiency anemia, on supplements.","No known allergies."}', pg_temp.mix(n, 10)),
    coalesce(b.owner, (SELECT min(id) FROM users WHERE password_hash = '!') + n % (:patients / 50)),
    timestamptz '2020-01-01' + n * interval '1 minute', timestamptz '2020-01-01' + n * interval '2 minutes'
FROM generate_series(1, :patients) AS n LEFT JOIN bench_owners AS b ON b.patient = n;

INSERT INTO mappings (patient_id, doctor_id, notes, is_active, assigned_at, ended_at, created_by, created_at, updated_at)
SELECT p.id, 1 + (pg_temp.mix(p.id, 11) + j * (:patients / 150)) % (:patients / 50),
    pg_temp.pick('{"Blood pressure control; home readings twice a day","Follow-up after stent; echo every six months","Wheeze control and inhaler technique","Review of hemoglobin after three months of iron"}', pg_temp.mix(p.id, 12 + j)),
    mixed <> 0, p.created_at + j * interval '1 day', CASE WHEN mixed = 0 THEN p.created_at + interval '30 days' END,
    p.created_by, p.created_at, p.updated_at
FROM patients AS p CROSS JOIN generate_series(0, 2) AS j CROSS JOIN LATERAL (SELECT pg_temp.mix(p.id, 20 + j) % 10 AS mixed) AS m;
