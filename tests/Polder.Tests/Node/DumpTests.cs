using System.Text;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;
using Polder.Node.Dumps;
using Polder.Node.Storage;
using Polder.Tests.Ledger;

namespace Polder.Tests.Node;

/// <summary>Dumps of the ledger in every form: what goes out comes in again as it was; what others wrote is read or refused in words.</summary>
public sealed class DumpTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 4, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();
    private readonly List<SqliteBlockStore> _opened = [];

    public void Dispose()
    {
        foreach (var store in _opened) store.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(DumpFormat.Csv, false)]
    [InlineData(DumpFormat.Json, false)]
    [InlineData(DumpFormat.Copy, false)]
    [InlineData(DumpFormat.Copy, true)]
    public async Task What_is_exported_and_imported_is_the_same_store_and_a_second_import_changes_nothing(DumpFormat format, bool isVerified)
    {
        var from = await FilledAsync();
        var dump = Export(from, format);
        var to = Open();
        var options = new ImportOptions { IsVerified = isVerified };

        var report = await LedgerImport.RunAsync(to, null, new MemoryStream(dump), options, cancellation: TestContext.Current.CancellationToken);

        Assert.Equal((from.Count, 0, 0, 1, 0), (report.Kept, report.Known, report.Invalid, report.Frauds, report.Broken));
        Assert.Equal(from.All(), to.All());
        Assert.Equal(from.Totals(), to.Totals());
        Assert.Equal(from.Days(), to.Days());
        Assert.Equal(Work.Of(from, "bytes").Order(), Work.Of(to, "bytes").Order());
        Assert.Equal(from.Frauds().Select(static proof => (proof.Kind, proof.First, proof.Second)), to.Frauds().Select(static proof => (proof.Kind, proof.First, proof.Second)));
        Assert.Equal(dump, Export(to, format));

        report = await LedgerImport.RunAsync(to, null, new MemoryStream(dump), options, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal((0, from.Count, 0, 0), (report.Kept, report.Known, report.Invalid, report.Frauds));
        Assert.Equal(dump, Export(to, format));
    }

    [Fact]
    public async Task A_dump_says_in_columns_what_blocks_say()
    {
        var (proposals, _) = Work.Records(Chains.Key(1), Chains.Key(2), [7]);
        var odd = Chains.Block(Chains.Key(3), 1, Chains.Key(1).Public.Bytes, 0, HalfBlock.GenesisHash, type: "a,\"b\"\t\\ ü");
        var store = Open();
        store.AddRange([proposals[0], odd]);
        await store.FlushAsync();
        var lines = Encoding.UTF8.GetString(Export(store, DumpFormat.Csv)).Split('\n');
        Assert.Equal("kind,public_key,sequence,link_public_key,link_sequence,type,timestamp,hash,unit,gave,got,packed,second,proposal", lines[0]);
        Assert.Equal($"block,{Chains.Key(1).Public},1,{Chains.Key(2).Public},0,tribler_bandwidth,1700000000000,{proposals[0].Hash},bytes,7,0,{Convert.ToBase64String(proposals[0].Packed.Span)},,", lines[1]);
        Assert.Contains(",\"a,\"\"b\"\"\\x09\\x5c \\xc3\\xbc\",", lines[2], StringComparison.Ordinal);
        foreach (var format in Enum.GetValues<DumpFormat>())
            Assert.Equal([proposals[0], odd], Read(Export(store, format)).Select(static entry => entry.Block!));
        var bare = Export(store, DumpFormat.Json, whole: false);
        Assert.Contains("previous_hash", Assert.Throws<DumpException>(() => Read(bare)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dumps_of_the_databases_of_py_and_kotlin_are_read_by_their_columns()
    {
        var chain = Chains.Of(Chains.Key(1), 3, Chains.Key(2));
        var csv = new StringBuilder("type,tx,public_key,sequence_number,link_public_key,link_sequence_number,previous_hash,signature,block_timestamp,insert_time,block_hash\r\n");
        var copy = new StringBuilder("SET client_encoding = 'UTF8';\nCREATE TABLE x (y int);\nCOPY public.blocks (block_timestamp, type, tx, public_key, sequence_number, link_public_key, link_sequence_number, previous_hash, signature) FROM stdin;\n");
        foreach (var block in chain)
        {
            var (key, link) = (Convert.ToHexString(block.PublicKey), Convert.ToHexString(block.LinkKey));
            csv.Append($"\"{block.TypeText}\",{Convert.ToHexString(block.Transaction)},{key},{block.Sequence},{Convert.ToBase64String(block.LinkKey)},0,{block.PreviousHash},{Convert.ToHexString(block.Signature)},{block.Timestamp},\"some\r\ntime\",\r\n");
            copy.Append($"{block.Timestamp}\t{block.TypeText}\t\\\\x{Convert.ToHexString(block.Transaction)}\t\\\\x{key}\t{block.Sequence}\t\\\\x{link}\t0\t\\\\x{block.PreviousHash}\t\\\\x{Convert.ToHexString(block.Signature)}\n");
        }
        copy.Append("\\.\nthis is no longer looked at\n");
        Assert.Equal(chain, Read(Encoding.UTF8.GetBytes(csv.ToString())).Select(static entry => entry.Block!));
        Assert.Equal(chain, Read(Encoding.UTF8.GetBytes(copy.ToString())).Select(static entry => entry.Block!));
        var hex = string.Join('\n', chain.Select(static block => Convert.ToHexString(block.Packed.Span)));
        var to = Open();
        var report = await LedgerImport.RunAsync(to, null, new MemoryStream(Encoding.ASCII.GetBytes(hex)), new ImportOptions(), cancellation: TestContext.Current.CancellationToken);
        Assert.Equal((3, "lines of hex"), (report.Kept, report.Form));
    }

    [Theory]
    [InlineData("{\"a\":1}", 1, "packed")]
    [InlineData("{\"packed\":\"4c\"}", 1, "is no block")]
    [InlineData("{\"packed\":\"§§\"}", 1, "neither hex nor base64")]
    [InlineData("{\"packed\":", 1, "is no JSON")]
    [InlineData("a,b\n1,2", 1, "public_key, sequence_number, link_public_key")]
    [InlineData("kind,packed\nblock", 2, "it has 1 fields")]
    [InlineData("kind,packed\nblock,\"4c", 2, "quotation mark")]
    [InlineData("kind,packed,second\ndouble-sign,BLOCK,", 2, "is no block")]
    [InlineData("kind,packed\nbl,BLOCK", 2, "needs two blocks")]
    [InlineData("hello", 1, "no dump of a ledger")]
    [InlineData("\u0001\u0002", 1, "no dump of a ledger")]
    [InlineData("public_key,sequence,link_public_key,link_sequence,previous_hash,signature,type,tx,timestamp\nKEY,9223372036854775808,KEY,0,00,00,t,,1", 2, "sequence \"9223372036854775808\" is no number")]
    [InlineData("public_key,sequence,link_public_key,link_sequence,previous_hash,signature,type,tx,timestamp\nKEY,1,KEY,0,00,00,t,,1", 2, "previous_hash has 1 bytes instead of 32")]
    public void What_cannot_be_read_is_named_with_its_line(string text, long line, string words)
    {
        var block = Convert.ToBase64String(Chains.Of(Chains.Key(1), 1, Chains.Key(2))[0].Packed.Span);
        var problem = Assert.Throws<DumpException>(() => Read(Encoding.UTF8.GetBytes(text.Replace("BLOCK", block, StringComparison.Ordinal).Replace("KEY", Chains.Key(1).Public.ToString(), StringComparison.Ordinal))));
        Assert.Equal(line, problem.Line);
        Assert.Contains(words, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_without_end_is_refused_and_not_gathered()
    {
        using var endless = new MemoryStream(new byte[2 << 20]);
        Assert.Contains("longer than 256 KB", Assert.Throws<DumpException>(() => new DumpReader(endless).Read().Count()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_line_ends_the_import_behind_what_came_before_or_is_passed_over()
    {
        var chain = Chains.Of(Chains.Key(1), 100, Chains.Key(2));
        var lines = chain.Select(static block => $"{{\"packed\":\"{Convert.ToBase64String(block.Packed.Span)}\"}}").ToList();
        lines[60] = lines[60][..300];
        var dump = Encoding.ASCII.GetBytes(string.Join('\n', lines));
        var store = Open();
        var problem = await Assert.ThrowsAsync<DumpException>(() => LedgerImport.RunAsync(store, null, new MemoryStream(dump), new ImportOptions { IsVerified = true }, cancellation: TestContext.Current.CancellationToken));
        Assert.Equal(61, problem.Line);
        var report = await LedgerImport.RunAsync(store, null, new MemoryStream(dump), new ImportOptions { SkipsBroken = true }, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal((99, 1), (store.Count, report.Broken));
        Assert.Equal((1, 1), (report.ChainsWithGaps, report.MissingBlocks));
        Assert.Contains(report.Problems, static words => words.StartsWith("Line 61 was passed over", StringComparison.Ordinal));
        Assert.Contains(report.Problems, words => words.Contains("has 99 of 100 blocks: the first that is missing is number 61", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Blocks_that_something_is_wrong_with_are_named_with_their_line_and_reason()
    {
        var good = Work.Records(Chains.Key(1), Chains.Key(2), [1]).Proposals[0];
        var forged = good.Packed.ToArray();
        forged[200] ^= 1;
        var huge = Chains.Block(Chains.Key(3), 1, Chains.Key(2).Public.Bytes, 0, HalfBlock.GenesisHash, type: "tribler_bandwidth", transaction: Work.Transaction(0, 0).Replace("\"up\":0", "\"up\":9223372036854775808", StringComparison.Ordinal));
        var long_ = Chains.Block(Chains.Key(4), 1, Chains.Key(2).Public.Bytes, 0, HalfBlock.GenesisHash, transaction: new string('x', 2000));
        var ahead = Chains.Block(Chains.Key(5), 1, Chains.Key(2).Public.Bytes, 0, HalfBlock.GenesisHash, timestamp: 1_900_000_000_000);
        var text = string.Join('\n', ((byte[][])[good.Packed.ToArray(), forged, huge.Packed.ToArray(), long_.Packed.ToArray(), ahead.Packed.ToArray()]).Select(Convert.ToHexStringLower));
        var store = Open();
        var report = await LedgerImport.RunAsync(store, null, new MemoryStream(Encoding.ASCII.GetBytes(text)), new ImportOptions(), cancellation: TestContext.Current.CancellationToken);
        Assert.Equal((2, 3), (report.Kept, report.Invalid));
        Assert.Contains(report.Problems, static words => words.StartsWith("Line 2: ", StringComparison.Ordinal) && words.Contains("ignature", StringComparison.Ordinal));
        Assert.Contains(report.Problems, static words => words.StartsWith("Line 3: ", StringComparison.Ordinal));
        Assert.Contains(report.Problems, static words => words.StartsWith("Line 4: ", StringComparison.Ordinal) && words.Contains("larger than what is kept", StringComparison.Ordinal));
        Assert.Empty(Work.Of(store, "bytes"));
    }

    [Fact]
    public async Task The_own_chain_is_judged_even_in_a_dump_that_was_verified()
    {
        var forged = Chains.Of(Chains.Key(1), 1, Chains.Key(2))[0].Packed.ToArray();
        forged[200] ^= 1;
        var report = await LedgerImport.RunAsync(Open(), Chains.Key(1).Public, new MemoryStream(Encoding.ASCII.GetBytes(Convert.ToHexString(forged))), new ImportOptions { IsVerified = true }, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal((0, 1), (report.Kept, report.Invalid));
    }

    [Fact]
    public async Task Verification_finds_nothing_wrong_goes_on_where_it_ended_and_finds_what_is_wrong()
    {
        var store = await FilledAsync();
        var report = LedgerVerify.Run(store, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal((store.Count, 0, 0), (report.Blocks, report.Invalid, report.Next));
        Assert.Empty(report.Problems);
        using var ended = new CancellationTokenSource();
        await ended.CancelAsync();
        var early = LedgerVerify.Run(store, cancellation: ended.Token);
        Assert.Equal(0, early.Blocks);
        Assert.Equal(store.Count - 5, LedgerVerify.Run(store, after: 5, cancellation: TestContext.Current.CancellationToken).Blocks);

        var forged = Chains.Block(Chains.Key(9), 1, Chains.Key(2).Public.Bytes, 0, HalfBlock.GenesisHash).Packed.ToArray();
        forged[200] ^= 1;
        Assert.True(HalfBlock.TryUnpack(forged, out var block));
        store.Add(block);
        await store.FlushAsync();
        var wrong = LedgerVerify.Run(store, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(1, wrong.Invalid);
        Assert.Contains("ignature", Assert.Single(wrong.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_survive()
    {
        var store = new MemoryBlockStore();
        store.AddRange(Chains.Of(Chains.Key(1), 2, Chains.Key(2)));
        var seeds = Enum.GetValues<DumpFormat>().Select(format =>
        {
            using var stream = new MemoryStream();
            LedgerExport.Run(store, stream, format);
            return stream.ToArray();
        }).ToList();
        Fuzz.Run("DumpReader", seeds, static bytes =>
        {
            using var stream = new MemoryStream(bytes.ToArray());
            try { _ = new DumpReader(stream) { SkipsBroken = true }.Read().Count(); }
            catch (DumpException) { }
        }, allocationFactor: 1 << 14);
    }

    private SqliteBlockStore Open()
    {
        var store = SqliteBlockStore.Open(_folder.At($"{_opened.Count}.db"), Chains.Key(77).Public.Bytes, Now);
        _opened.Add(store);
        return store;
    }

    private async Task<SqliteBlockStore> FilledAsync()
    {
        var store = Open();
        var (proposals, agreements) = Work.Records(Chains.Key(1), Chains.Key(2), [.. Enumerable.Range(1, 40)]);
        for (var i = 0; i < 40; i++) store.AddRange([proposals[i], agreements[i]]);
        store.AddRange([.. Chains.Of(Chains.Key(3), 20, Chains.Key(4)).Where(static block => block.Sequence != 11)]);
        store.AddFraud(new FraudProof(FraudKind.DoubleSign, Chains.Of(Chains.Key(5), 1, Chains.Key(1))[0], Chains.Of(Chains.Key(5), 1, Chains.Key(2))[0]));
        await store.FlushAsync();
        return store;
    }

    private static byte[] Export(IBlockStore store, DumpFormat format, bool whole = true)
    {
        using var stream = new MemoryStream();
        LedgerExport.Run(store, stream, format, whole);
        return stream.ToArray();
    }

    private static List<DumpEntry> Read(byte[] dump)
    {
        using var stream = new MemoryStream(dump);
        return [.. new DumpReader(stream).Read()];
    }
}
