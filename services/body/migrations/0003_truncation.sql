-- Rows that are truncated away are withdrawn like those that are deleted: replicas learn of them.
CREATE FUNCTION body.note_truncation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO body.withdrawals (row_seq) SELECT seq FROM body.measurements;
    PERFORM pg_notify('marquee_body', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER noted_truncation BEFORE TRUNCATE ON body.measurements
FOR EACH STATEMENT EXECUTE FUNCTION body.note_truncation();
