import { Table, type MigrationInterface, type QueryRunner } from 'typeorm';

/** Guests of dialects, who leave their rooms soon after they disconnect. */
export class AddDialectGuests1795400000000 implements MigrationInterface {
  readonly name = 'AddDialectGuests1795400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'dialect_guests',
        columns: [
          { name: 'user_id', type: 'text', isPrimary: true },
          { name: 'dialect', type: 'text' },
          { name: 'name_key', type: 'text', isNullable: true },
          { name: 'address', type: 'text' },
        ],
        indices: [{ columnNames: ['dialect', 'name_key', 'address'] }],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('dialect_guests');
  }
}
