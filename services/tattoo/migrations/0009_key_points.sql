-- Key points of a view, which verify that two pictures show the same tattoo. Read for the best candidates only.
ALTER TABLE tattoo.performer_tattoos
    -- As docs/tattoo.md has them. Null: too few, or the view came without them.
    ADD COLUMN key_points bytea CHECK (octet_length(key_points) BETWEEN 1 AND 65536),
    -- How they were found; those of another version than a tattoo's that is looked for are never compared.
    ADD COLUMN key_points_version text CHECK (key_points_version <> ''),
    ADD CONSTRAINT key_points_have_a_version CHECK ((key_points IS NULL) = (key_points_version IS NULL));

-- Nobody tries to compress what hardly can be.
ALTER TABLE tattoo.performer_tattoos ALTER COLUMN key_points SET STORAGE EXTERNAL;
