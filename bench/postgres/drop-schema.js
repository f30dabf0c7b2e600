// Drops a schema: `node drop-schema.js url schema`.
import pg from 'pg';

const [url, schema] = process.argv.slice(2);
const client = new pg.Client(url);
await client.connect();
await client.query(`DROP SCHEMA IF EXISTS ${client.escapeIdentifier(schema)} CASCADE`);
await client.end();
