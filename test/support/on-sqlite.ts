// What servers of tests store in; see freshDatabase.
process.env['TEST_DATABASE'] = 'sqlite';
