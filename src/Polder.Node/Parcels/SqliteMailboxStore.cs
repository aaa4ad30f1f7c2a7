using Polder.Apps.Parcels.Mailbox;
using Polder.Node.Storage;

namespace Polder.Node.Parcels;

/// <summary>
/// A mailbox server's state in a file of its own, so that waiting people do not notice a restart. Written ahead and committed before the
/// answer goes out; what a power cut takes are at most the last moments.
/// </summary>
internal sealed class SqliteMailboxStore : IMailboxStore, IDisposable
{
    private const int Version = 1;

    private readonly Database _database;
    private readonly Statement _putPlate, _dropPlate, _putRoom, _dropRoom, _dropMessages, _addMessage;

    public SqliteMailboxStore(string path)
    {
        _database = Database.Open(path);
        _database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
        // Nothing in here outlives eleven minutes: another version's file is begun anew.
        if (_database.Number("PRAGMA user_version") is not (0 or Version))
            _database.Execute("DROP TABLE IF EXISTS nameplate; DROP TABLE IF EXISTS mailbox; DROP TABLE IF EXISTS message");
        _database.Execute($"""
            CREATE TABLE IF NOT EXISTS nameplate(app TEXT, name TEXT, mailbox TEXT, side1 TEXT, holds1 INT, side2 TEXT, holds2 INT, PRIMARY KEY(app, name)) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS mailbox(id TEXT PRIMARY KEY, app TEXT, side1 TEXT, holds1 INT, side2 TEXT, holds2 INT) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS message(number INTEGER PRIMARY KEY AUTOINCREMENT, mailbox TEXT, side TEXT, phase TEXT, body TEXT, received INT, id TEXT);
            CREATE INDEX IF NOT EXISTS message_mailbox ON message(mailbox);
            PRAGMA user_version = {Version};
            """);
        _putPlate = _database.Prepare("INSERT OR REPLACE INTO nameplate VALUES(?,?,?,?,?,?,?)");
        _dropPlate = _database.Prepare("DELETE FROM nameplate WHERE app = ? AND name = ?");
        _putRoom = _database.Prepare("INSERT OR REPLACE INTO mailbox VALUES(?,?,?,?,?,?)");
        _dropRoom = _database.Prepare("DELETE FROM mailbox WHERE id = ?");
        _dropMessages = _database.Prepare("DELETE FROM message WHERE mailbox = ?");
        _addMessage = _database.Prepare("INSERT INTO message(mailbox, side, phase, body, received, id) VALUES(?,?,?,?,?,?)");
    }

    public IReadOnlyList<MailboxChange> Load()
    {
        var changes = new List<MailboxChange>();
        using (var rooms = _database.PrepareOnce("SELECT id, app, side1, holds1, side2, holds2 FROM mailbox"))
            while (rooms.Step()) changes.Add(new MailboxChange.PutMailbox(rooms.Text(0), rooms.Text(1), Sides(rooms, 2)));
        using (var plates = _database.PrepareOnce("SELECT app, name, mailbox, side1, holds1, side2, holds2 FROM nameplate"))
            while (plates.Step()) changes.Add(new MailboxChange.PutNameplate(plates.Text(0), plates.Text(1), plates.Text(2), Sides(plates, 3)));
        using (var messages = _database.PrepareOnce("SELECT mailbox, side, phase, body, received, id FROM message ORDER BY number"))
            while (messages.Step())
                changes.Add(new MailboxChange.AddMessage(messages.Text(0), new MailboxMessage(messages.Text(1), messages.Text(2), messages.Text(3), messages.Number(4) / 1e6, messages.Text(5))));
        return changes;
    }

    public void Commit(IReadOnlyList<MailboxChange> changes)
    {
        _database.Execute("BEGIN");
        try
        {
            foreach (var change in changes) Write(change);
            _database.Execute("COMMIT");
        }
        catch
        {
            _database.TryRollBack();
            throw;
        }
    }

    public void Dispose() => _database.Dispose();

    private void Write(MailboxChange change)
    {
        switch (change)
        {
            case MailboxChange.PutNameplate put:
                Bind(_putPlate.Bind(1, put.App).Bind(2, put.Name).Bind(3, put.Mailbox), 4, put.Sides).Run();
                break;
            case MailboxChange.DropNameplate drop: _dropPlate.Bind(1, drop.App).Bind(2, drop.Name).Run(); break;
            case MailboxChange.PutMailbox put: Bind(_putRoom.Bind(1, put.Id).Bind(2, put.App), 3, put.Sides).Run(); break;
            case MailboxChange.DropMailbox drop:
                _dropRoom.Bind(1, drop.Id).Run();
                _dropMessages.Bind(1, drop.Id).Run();
                break;
            case MailboxChange.AddMessage add:
                _addMessage.Bind(1, add.Mailbox).Bind(2, add.Message.Side).Bind(3, add.Message.Phase).Bind(4, add.Message.Body)
                    .Bind(5, (long)(add.Message.Received * 1e6)).Bind(6, add.Message.Id).Run();
                break;
        }
    }

    private static Statement Bind(Statement statement, int index, TwoSides sides) =>
        statement.Bind(index, sides.First ?? "").Bind(index + 1, sides.FirstHolds ? 1 : 0).Bind(index + 2, sides.Second ?? "").Bind(index + 3, sides.SecondHolds ? 1 : 0);

    private static TwoSides Sides(Statement row, int index) => new(
        row.Text(index) is { Length: > 0 } first ? first : null, row.Number(index + 1) != 0,
        row.Text(index + 2) is { Length: > 0 } second ? second : null, row.Number(index + 3) != 0);
}
