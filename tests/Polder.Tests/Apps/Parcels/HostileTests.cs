using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Polder.Apps.Parcels;

namespace Polder.Tests.Apps.Parcels;

/// <summary>
/// The 61 hostile cases that were played to the stock client (hostile-stock.json), played to ours: what it wrote outside, crashed at, or
/// waited for ever on must here be a clear end with nothing lost.
/// </summary>
public sealed class HostileTests
{
    private static readonly byte[] Evil = "evil"u8.ToArray();

    /// <summary>How a sender behaves: its offer, what follows, and what we must have made of it.</summary>
    private sealed record Sender(string Offer, byte[]? Payload = null, string? Writes = null, ParcelResult Ends = ParcelResult.Complete, string? Error = null)
    {
        /// <summary>Said before the offer.</summary>
        public string? First { get; init; }
        /// <summary>Whether hints are strange.</summary>
        public string? Transit { get; init; }
        /// <summary>Bytes sent as they are instead of sealed records.</summary>
        public byte[]? Raw { get; init; }
        /// <summary>Hangs up after the payload.</summary>
        public bool HangsUp { get; init; }
        /// <summary>The text that must be shown.</summary>
        public string? Text { get; init; }
        /// <summary>Mode of what was written.</summary>
        public UnixFileMode? Mode { get; init; }
    }

    private static Sender File(string name, string? writes) => new("{\"offer\":{\"file\":{\"filename\":" + Quote(name) + ",\"filesize\":4}}}", Evil, writes,
        writes is null ? ParcelResult.PeerFailed : ParcelResult.Complete, writes is null ? "transfer rejected" : null);

    private static Sender Sized(string file, ParcelResult ends = ParcelResult.PeerFailed, string? error = "transfer rejected", byte[]? payload = null) =>
        new("{\"offer\":{\"file\":" + file + "}}", payload ?? Evil, null, ends, error);

    private static Sender Zip(byte[] zip, string name, string? writes, long bytes = 10, int files = 5, UnixFileMode? mode = null) =>
        new("{\"offer\":" + $$"""{"directory":{"mode":"zipfile/deflated","dirname":{{Quote(name)}},"zipsize":{{zip.Length}},"numbytes":{{bytes}},"numfiles":{{files}} """ + "}}}", zip, writes,
            writes is null ? ParcelResult.PeerFailed : ParcelResult.Complete) { Mode = mode };

    private static readonly Dictionary<string, Func<Sender>> Senders = new()
    {
        ["name with parents"] = () => File("../../escaped.txt", "escaped.txt"),
        ["absolute name"] = () => File("/tmp/polder-absolute.txt", "polder-absolute.txt"),
        ["name is .."] = () => File("..", null),
        ["name is ."] = () => File(".", null),
        ["empty name"] = () => File("", null),
        ["name with backslashes"] = () => File("..\\..\\escaped.txt", "escaped.txt"),
        ["name with a drive"] = () => File("C:\\escaped.txt", "escaped.txt"),
        ["reserved name"] = () => File("CON", null),
        ["name with NUL"] = () => File("a\0b", null),
        ["name of 300 characters"] = () => File(new string('n', 300), null),
        ["name ends in a slash"] = () => File("folder/", null),
        ["name with line feed and escape"] = () => File("a\n\u001b[2Jb.txt", "a\n\u001b[2Jb.txt"),
        ["name with right-to-left override"] = () => File("photo\u202egpj.exe", "photo\u202egpj.exe"),
        ["hidden name"] = () => File(".bashrc", ".bashrc"),
        ["name is a number"] = () => Sized("""{"filename":5,"filesize":4}"""),
        ["no filename"] = () => Sized("""{"filesize":4}"""),
        ["no filesize"] = () => Sized("""{"filename":"a"}"""),
        ["size negative"] = () => Sized("""{"filename":"negative.bin","filesize":-4}"""),
        ["size as text"] = () => Sized("""{"filename":"a","filesize":"4"}"""),
        ["size 2^63"] = () => Sized("""{"filename":"a","filesize":9223372036854775808}"""),
        ["size with fraction"] = () => Sized("""{"filename":"a","filesize":4.0}"""),
        ["more bytes than offered"] = () => Sized("""{"filename":"more.bin","filesize":10}""", error: null, payload: new byte[100]),
        ["fewer bytes, then hangs up"] = () => Sized("""{"filename":"fewer.bin","filesize":100}""", ParcelResult.LineBroken, null, new byte[10]) with { HangsUp = true },
        ["record with a wrong nonce"] = () => Sized("""{"filename":"nonce.bin","filesize":4}""", error: null, payload: []) with { Raw = [0, 0, 0, 44, .. new byte[23], 9, .. new byte[20]] },
        ["record of 4 GiB announced"] = () => Sized("""{"filename":"giant.bin","filesize":4}""", error: null, payload: []) with { Raw = [0xFF, 0xFF, 0xFF, 0xFF, .. new byte[64]] },
        ["two keys at once"] = () => new Sender("""{"offer":{"message":"hi","file":{"filename":"a","filesize":4}}}""") { Text = "hi" },
        ["unknown offer"] = () => new Sender("""{"offer":{"hologram":{}}}""", Ends: ParcelResult.PeerFailed, Error: "unknown offer type"),
        ["offer is a text"] = () => new Sender("""{"offer":"hello"}""", Ends: ParcelResult.PeerFailed, Error: "unknown offer type"),
        ["empty offer"] = () => new Sender("""{"offer":{}}""", Ends: ParcelResult.PeerFailed, Error: "unknown offer type"),
        ["text with escapes"] = () => new Sender("""{"offer":{"message":"\u001b[31mred\u001b[0m\u0007"}}""") { Text = "\u001b[31mred\u001b[0m\u0007" },
        ["text that is a number"] = () => new Sender("""{"offer":{"message":5}}""") { Text = "5" },
        ["error instead of an offer"] = () => new Sender("""{"error":"no"}""", Ends: ParcelResult.PeerFailed),
        ["error that is an object"] = () => new Sender("""{"error":{"a":1}}""", Ends: ParcelResult.PeerFailed),
        ["unknown message first"] = () => new Sender("""{"offer":{"message":"after"}}""") { First = """{"weather":"fine"}""", Text = "after" },
        ["message is not an object"] = () => new Sender("[1]", Ends: ParcelResult.PeerFailed, Error: "transfer rejected"),
        ["message is not JSON"] = () => new Sender("hello", Ends: ParcelResult.PeerFailed, Error: "transfer rejected"),
        ["hints that are null"] = () => File("null.bin", "null.bin") with { Transit = """{"transit":{"abilities-v1":null,"hints-v1":null}}""" },
        ["hints of every strange kind"] = () => File("hints.bin", "hints.bin") with
        {
            Transit = """{"transit":{"hints-v1":[null,1,"x",[],{},{"type":5},{"type":"direct-tcp-v1"},{"type":"direct-tcp-v1","hostname":"127.0.0.1","port":"80"},{"type":"direct-tcp-v1","hostname":"","port":0,"hints":null},{"type":"relay-v1","hints":null},{"type":"tor-tcp-v1","hostname":"x.onion","port":1}]}}""",
        },
        ["zip: entry climbs out"] = () => Zip(Pack(("../climbed.txt", "x", 0)), "zipup", null),
        ["zip: sibling with the same beginning"] = () => Zip(Pack(("../zipsib-evil/x.txt", "x", 0)), "zipsib", null),
        ["zip: absolute entry"] = () => Zip(Pack(("/polder-zip-absolute.txt", "x", 0)), "zipabs", null),
        ["zip: symbolic link then a file through it"] = () => Zip(Pack(("link", "..", 0xA1FF), ("link/through.txt", "x", 0x81A4)), "ziplink", null),
        ["zip: mode with set-user-id"] = () => Zip(Pack(("tool", "x", 0x89ED)), "zipsuid", "zipsuid/tool", mode: (UnixFileMode)0b111_101_101),
        ["zip: mode 000"] = () => Zip(Pack(("locked", "x", 0x8000)), "zipmode", "zipmode/locked", mode: (UnixFileMode)0b110_000_000),
        ["zip: bomb, 50 MB said to be 10 bytes"] = () => Zip(Pack(("zeros", new string('\0', 50_000_000), 0)), "zipbomb", null),
        ["zip: same name twice"] = () => Zip(Pack(("a", "1", 0), ("a", "2", 0)), "zipdup", null),
        ["zip: broken"] = () => Zip(new byte[200], "zipbroken", null),
        ["zip: empty"] = () => Zip(Pack(), "zipempty", "zipempty"),
        ["zip: directory entry only"] = () => Zip(Pack(("inner/", "", 0x41ED)), "zipdir", "zipdir/inner"),
        ["directory: unknown mode"] = () => new Sender("""{"offer":{"directory":{"mode":"tarball/zstd","dirname":"d","zipsize":4,"numbytes":4,"numfiles":1}}}""", Ends: ParcelResult.PeerFailed, Error: "unknown mode"),
        ["directory: name climbs"] = () => Zip(Pack(("a", "1", 0)), "../../climbdir", "climbdir/a"),
    };

    /// <summary>How a receiver behaves after our offer, and how that must end for us.</summary>
    private static readonly Dictionary<string, (Func<ParcelStage.Stranger, Task> Does, ParcelResult Ends)> Receivers = new()
    {
        ["ack with a wrong hash"] = (peer => TakeAsync(peer, $$"""{"ack":"ok","sha256":"{{new string('0', 64)}}"}"""), ParcelResult.PeerFailed),
        ["ack not ok"] = (peer => TakeAsync(peer, """{"ack":"no"}"""), ParcelResult.PeerFailed),
        ["ack without a hash"] = (peer => TakeAsync(peer, """{"ack":"ok"}"""), ParcelResult.Complete),
        ["hangs up before the ack"] = (peer => TakeAsync(peer, null), ParcelResult.PeerFailed),
        ["refuses with an error"] = (peer => peer.SayAsync("""{"error":"transfer rejected"}"""), ParcelResult.Refused),
        ["answer file_ack no"] = (peer => peer.SayAsync("""{"answer":{"file_ack":"no"}}"""), ParcelResult.PeerFailed),
        ["ack is not JSON"] = (peer => TakeAsync(peer, "hello"), ParcelResult.PeerFailed),
        ["garbage in the handshake"] = (GarbageAsync, ParcelResult.LineBroken),
        ["two answers"] = (async peer => { await peer.SayAsync("""{"answer":{"file_ack":"ok"}}"""); await TakeAsync(peer, """{"ack":"ok"}"""); }, ParcelResult.Complete),
        ["never connects"] = (peer => peer.SayAsync("""{"answer":{"file_ack":"ok"}}"""), ParcelResult.LineBroken),
    };

    [Fact]
    public void All_cases_are_here()
    {
        var cases = WormholeVectors.Read("hostile-stock.json").GetProperty("cases").EnumerateObject().Select(item => item.Name).ToHashSet();
        Assert.Equal(61, cases.Count);
        Assert.Equal(cases.Order(), Senders.Keys.Concat(Receivers.Keys).Order());
    }

    [Fact]
    public async Task Hostile_senders_get_a_clear_refusal_and_nothing_is_written_where_it_should_not()
    {
        await using var stage = await ParcelStage.StartAsync();
        foreach (var (name, make) in Senders)
        {
            var sender = make();
            var (human, code) = (new ParcelStage.Human(), ParcelStage.NewCode());
            var around = stage.PathOf("case", "x", "y");
            var folder = Path.Combine(around, "here");
            Directory.CreateDirectory(folder);
            var receiving = stage.ReceiveAsync(code, folder, human);
            await using (var stranger = await ParcelStage.Stranger.MeetAsync(stage, code, sends: true))
            {
                await PlayAsync(stranger, sender);
                var outcome = await receiving.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
                Assert.True(sender.Ends == outcome.Result, $"{name}: {outcome.Result}, {outcome.Sentence}");
                Assert.NotEmpty(outcome.Sentence);
                if (sender.Error is { } error) Assert.Contains($$"""{"error":"{{error}}"}""", stranger.Heard);
            }
            Assert.Equal(sender.Text, human.Text);
            var found = Directory.EnumerateFileSystemEntries(stage.PathOf("case"), "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(folder, path)).Where(path => path is not (".." or "../.." or ".")).Order().ToArray();
            string[] expected = sender.Writes is { } writes ? WithFolder(writes) : [];
            Assert.True(expected.SequenceEqual(found), $"{name}: {string.Join(", ", found)}");
            if (sender.Mode is { } mode && !OperatingSystem.IsWindows()) Assert.Equal(mode, System.IO.File.GetUnixFileMode(Path.Combine(folder, sender.Writes!)));
            Directory.Delete(stage.PathOf("case"), recursive: true);
        }

        static string[] WithFolder(string writes) => writes.Contains('/') ? [writes[..writes.IndexOf('/')], writes] : [writes];
    }

    [Fact]
    public async Task Hostile_receivers_never_make_the_sender_wait_for_ever_or_believe_them()
    {
        await using var stage = await ParcelStage.StartAsync();
        var path = stage.Write("payload.bin", RandomNumberGenerator.GetBytes(700));
        foreach (var (name, (does, ends)) in Receivers)
        {
            var code = ParcelStage.NewCode();
            var sending = stage.SendAsync(ParcelWaysContents(path), code, new ParcelStage.Human(), stage.Transit with { MeetMax = TimeSpan.FromMilliseconds(700) });
            await using var stranger = await ParcelStage.Stranger.MeetAsync(stage, code, sends: false);
            await stranger.HearAsync("offer");
            await does(stranger);
            var outcome = await sending.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            Assert.True(ends == outcome.Result, $"{name}: {outcome.Result}, {outcome.Sentence}");
        }
    }

    private static ParcelContents ParcelWaysContents(string path) => Polder.Node.Parcels.ParcelWays.Contents([path]);

    private static async Task PlayAsync(ParcelStage.Stranger peer, Sender sender)
    {
        if (sender.First is { } first) await peer.SayAsync(first);
        if (sender.Payload is null || sender.Error is not null)
        {
            await peer.SayAsync(sender.Offer);
            if (sender.Error is not null) await peer.HearAsync("error");
            else if (sender.Text is not null) await peer.HearAsync("answer");
            return;
        }
        await peer.SayAsync(sender.Transit is { } strange ? Encoding.UTF8.GetBytes(strange) : peer.Meeting.OwnHints.Write());
        await peer.SayAsync(sender.Offer);
        await peer.HearAsync("answer");
        peer.Dial();
        using var link = await peer.Meeting.ConnectAsync(TestContext.Current.CancellationToken);
        if (sender.Raw is { } raw) await link.SendSealedAsync(raw, TestContext.Current.CancellationToken);
        else if (sender.Payload.Length > 0) await link.SendAsync(sender.Payload, TestContext.Current.CancellationToken);
        if (sender.HangsUp) return;
        try { await link.ReceiveAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken); }
        catch (ParcelEndedException) { }
    }

    /// <summary>Accepts, takes the bytes and says this as the last record; null hangs up instead.</summary>
    private static async Task TakeAsync(ParcelStage.Stranger peer, string? ack)
    {
        await peer.SayAsync(peer.Meeting.OwnHints.Write());
        await peer.SayAsync("""{"answer":{"file_ack":"ok"}}""");
        peer.Dial();
        using var link = await peer.Meeting.ConnectAsync(TestContext.Current.CancellationToken);
        await link.ReceiveAsync(TestContext.Current.CancellationToken);
        if (ack is not null) await link.SendAsync(Encoding.UTF8.GetBytes(ack), TestContext.Current.CancellationToken);
    }

    private static async Task GarbageAsync(ParcelStage.Stranger peer)
    {
        var hints = System.Text.Json.Nodes.JsonNode.Parse(peer.Heard.First(text => text.Contains("transit", StringComparison.Ordinal)))!;
        var port = hints["transit"]!["hints-v1"]![0]!["port"]!.GetValue<int>();
        await peer.SayAsync("""{"answer":{"file_ack":"ok"}}""");
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync(System.Net.IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        await socket.GetStream().WriteAsync("transit receiver nonsense\n\n"u8.ToArray(), TestContext.Current.CancellationToken);
    }

    private static byte[] Pack(params (string Name, string Text, int Mode)[] entries)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, text, mode) in entries)
            {
                var entry = zip.CreateEntry(name);
                entry.ExternalAttributes = unchecked(mode << 16);
                using var stream = entry.Open();
                stream.Write(Encoding.ASCII.GetBytes(text));
            }
        }
        return bytes.ToArray();
    }

    private static string Quote(string text) => System.Text.Json.JsonSerializer.Serialize(text);
}
