-- Nobody tries to compress what cannot be.
ALTER TABLE tattoo.performer_tattoos ALTER COLUMN embedding SET STORAGE EXTERNAL;
