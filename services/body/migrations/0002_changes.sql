-- How replicas learn of changes.

-- What replicas follow. A row can be found from its seq's commit to its withdrawal, and never again under that seq.
CREATE INDEX idx_measurements_xid ON body.measurements (xid, seq);

CREATE TABLE body.withdrawals (
    -- Of the row that can be found no more.
    row_seq bigint NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);

CREATE INDEX idx_withdrawals_xid ON body.withdrawals (xid);

CREATE FUNCTION body.note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A hint that saves waiting for the next poll.
    PERFORM pg_notify('marquee_body', '');
    RETURN NULL;
END
$$;

CREATE FUNCTION body.note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO body.withdrawals (row_seq) SELECT seq FROM gone;
    PERFORM pg_notify('marquee_body', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER noted_insert AFTER INSERT ON body.measurements
FOR EACH STATEMENT EXECUTE FUNCTION body.note_insert();

CREATE TRIGGER noted_delete AFTER DELETE ON body.measurements
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION body.note_delete();

-- From similarities to likelihood ratios, fitted on pairs; the newest of a model and version counts.
CREATE TABLE body.calibrations (
    seq bigserial PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    model text NOT NULL CHECK (model <> ''),
    version text NOT NULL CHECK (version <> ''),
    parameters jsonb NOT NULL,
    genuine_pairs bigint NOT NULL CHECK (genuine_pairs >= 0),
    impostor_pairs bigint NOT NULL CHECK (impostor_pairs >= 0),
    -- Which pairs, of which pictures.
    provenance text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
