using Polder.Ledger.Stores;

namespace Polder.Node.Storage;

/// <summary>Reads the accounts that <see cref="ChainAccounts"/> and <see cref="WorkAccounts"/> keep, on the loop's own connection.</summary>
internal sealed class AccountReader(Database database)
{
    private readonly Statement _sums = database.Prepare(
        "SELECT b.gave, b.got, b.records FROM units u CROSS JOIN balances b ON b.peer = ? AND b.unit = u.id WHERE u.name = ?");
    private readonly Statement _days = database.Prepare("SELECT day, blocks, users, newcomers FROM days WHERE blocks > 0 OR users > 0 OR newcomers > 0 ORDER BY day");

    public WorkSums SumsOf(int peer, string unit)
    {
        _sums.Bind(1, peer).Bind(2, unit);
        if (!_sums.Step()) return default;
        var sums = new WorkSums(_sums.Number(0), _sums.Number(1), _sums.Number(2));
        _sums.Reset();
        return sums;
    }

    public List<DayCount> Days()
    {
        var days = new List<DayCount>();
        while (_days.Step()) days.Add(DayCount.Of((int)_days.Number(0), _days.Number(1), _days.Number(2), _days.Number(3)));
        return days;
    }

    public List<string> Units()
    {
        var units = new List<string>();
        using var read = database.PrepareOnce("SELECT name FROM units");
        while (read.Step()) units.Add(System.Text.Encoding.UTF8.GetString(read.Blob(0)));
        return units;
    }

    public StoreTotals Totals()
    {
        using var totals = database.PrepareOnce("SELECT blocks, bytes, records FROM totals");
        if (!totals.Step()) return default;
        // Chains and peers are as many as people, not as many as blocks.
        return new(totals.Number(0), totals.Number(1), totals.Number(2), database.Number("SELECT count(*) FROM chains WHERE blocks > 0"), database.Number("SELECT count(*) FROM chains"));
    }

    /// <summary>Compares the accounts with each other: each is kept by another part of the program.</summary>
    public List<string> Faults()
    {
        var faults = new List<string>();
        database.Execute("BEGIN");
        try
        {
            var totals = Totals();
            Compare("blocks in the chains' accounts", database.Number("SELECT sum(blocks) FROM chains"), "blocks in all", totals.Blocks);
            Compare("blocks of the days", database.Number("SELECT sum(blocks) FROM days"), "blocks in all", totals.Blocks);
            Compare("blocks that name somebody", database.Number("SELECT sum(named) FROM chains"), "blocks in all", totals.Blocks);
            Compare("records in the peers' balances", database.Number("SELECT sum(records) FROM balances"), "twice the agreed records", 2 * totals.Records);
            Compare("agreed records kept for graphs",
                database.Number("SELECT count(*) FROM work") + (database.Number("SELECT sum(length(records)) FROM work_segments") / WorkAccounts.EntryBytes), "agreed records", totals.Records);
        }
        finally { database.Execute("COMMIT"); }
        return faults;

        void Compare(string one, long first, string other, long second)
        {
            if (first != second) faults.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{one}: {first}, but {other}: {second}"));
        }
    }

    public void ReadWork(string unit, AgreedWorkReader read)
    {
        // One transaction: between two statements a record could move from the latest into a segment.
        database.Execute("BEGIN");
        try
        {
            using var segments = database.PrepareOnce("SELECT s.records FROM units u CROSS JOIN work_segments s ON s.unit = u.id WHERE u.name = ? ORDER BY s.id");
            var records = new AgreedWork[WorkAccounts.SegmentRecords];
            segments.Bind(1, unit);
            while (segments.Step())
            {
                var packed = segments.Blob(0);
                var count = packed.Length / WorkAccounts.EntryBytes;
                if (count > records.Length) records = new AgreedWork[count];
                for (var i = 0; i < count; i++) records[i] = WorkAccounts.Entry(packed[(i * WorkAccounts.EntryBytes)..]);
                read(records.AsSpan(0, count));
            }
            using var latest = database.PrepareOnce("SELECT w.contributor, w.consumer, w.amount FROM work w JOIN units u ON u.id = w.unit WHERE u.name = ? ORDER BY w.ordinal, w.part");
            var rest = 0;
            latest.Bind(1, unit);
            while (latest.Step())
            {
                if (rest == records.Length) Array.Resize(ref records, 2 * rest);
                records[rest++] = new AgreedWork((int)latest.Number(0), (int)latest.Number(1), latest.Number(2));
            }
            if (rest > 0) read(records.AsSpan(0, rest));
        }
        finally { database.Execute("COMMIT"); }
    }

    public IEnumerable<NumberedKey> Keys(int after)
    {
        using var keys = database.PrepareOnce("SELECT id, key FROM peers WHERE id > ? ORDER BY id");
        keys.Bind(1, after);
        while (keys.Step()) yield return new NumberedKey((int)keys.Number(0), keys.Blob(1).ToArray());
    }
}
