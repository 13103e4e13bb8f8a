CREATE TABLE catalogue.performers (id uuid PRIMARY KEY);
