using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Polder.Apps.Parcels.Mailbox;
using Polder.Runtime;

namespace Polder.Tests.Apps.Parcels;

/// <summary>The recorded scenes with the stock mailbox server, played to ours.</summary>
public sealed class MailboxServerTests
{
    // Where the specification of the wire says to do better than the stock server does.
    private static readonly Dictionary<string, string?> Better = new(StringComparer.Ordinal)
    {
        ["the third side's crowding stays: first side comes back"] = null,
        ["nameplate that is not a number"] = "error",
        ["closing the mailbox while the nameplate is still claimed"] = "closed",
        ["not JSON"] = "error",
        ["JSON that is not an object"] = "error",
        ["nameplate that is a number"] = "error",
        ["body of 1 MB"] = "error",
    };

    [Fact]
    public void Every_recorded_scene_gives_the_recorded_answers()
    {
        var scenes = WormholeVectors.Read("mailbox-server.json").GetProperty("scenes");
        var better = 0;
        foreach (var scene in scenes.EnumerateObject())
        {
            var stage = new Stage();
            if (Better.TryGetValue(scene.Name, out var ours))
            {
                better++;
                foreach (var step in scene.Value.EnumerateArray()) stage.Perform(step);
                var last = stage.Answers.Where(answer => answer.Type is not ("welcome" or "ack")).LastOrDefault();
                if (ours is null) Assert.DoesNotContain(stage.Answers, answer => answer is { Who: "d", Type: "error" });
                else Assert.Equal(ours, last.Type);
                Assert.True(stage.Everybody.All(session => !session.IsGone), scene.Name);
                continue;
            }
            foreach (var step in scene.Value.EnumerateArray()) stage.Check(scene.Name, step);
            Assert.True(stage.AllTaken, $"{scene.Name}: we said more than the stock server.");
        }
        Assert.Equal(Better.Count, better);
    }

    [Fact]
    public void Limits_are_kept_and_said()
    {
        var stage = new Stage();
        stage.Say("a", """{"type":"bind","appid":"x","side":"s1"}""");
        stage.Say("a", """{"type":"open","mailbox":"m"}""");
        for (var i = 0; i < MailboxLimits.MessagesMax; i++) stage.Say("a", $$"""{"type":"add","phase":"{{i}}","body":"00"}""");
        Assert.DoesNotContain(stage.Answers, answer => answer.Type == "error");
        stage.Say("a", """{"type":"add","phase":"x","body":"00"}""");
        Assert.Equal("error", stage.Answers[^1].Type);
        stage.Say("a", $$"""{"type":"claim","nameplate":"{{new string('1', 41)}}"}""");
        Assert.Equal("error", stage.Answers[^1].Type);
        stage.Say("a", new string(' ', MailboxLimits.FrameBytesMax + 1));
        Assert.Equal("error", stage.Answers[^1].Type);
        stage.Say("a", $$"""{"type":"ping","ping":1,"id":"{{new string('i', 200)}}"}""");
        Assert.Equal("error", stage.Answers[^1].Type);
    }

    [Fact]
    public void Numbers_are_of_one_digit_while_there_is_room()
    {
        var stage = new Stage();
        var given = new HashSet<string>();
        for (var i = 0; i < 15; i++)
        {
            stage.Say("c" + i, $$"""{"type":"bind","appid":"x","side":"s{{i}}"}""");
            stage.Say("c" + i, """{"type":"allocate"}""");
            given.Add(JsonNode.Parse(stage.Answers[^1].Frame)!["nameplate"]!.GetValue<string>());
        }
        Assert.Equal(15, given.Count);
        Assert.Equal(9, given.Count(number => number.Length == 1));
    }

    [Fact]
    public void State_comes_back_from_the_store_as_it_was()
    {
        var store = new MemoryStore();
        var stage = new Stage(store);
        stage.Say("a", """{"type":"bind","appid":"x","side":"s1"}""");
        stage.Say("a", """{"type":"claim","nameplate":"5"}""");
        var mailbox = JsonNode.Parse(stage.Answers[^1].Frame)!["mailbox"]!.GetValue<string>();
        stage.Say("a", $$"""{"type":"open","mailbox":"{{mailbox}}"}""");
        stage.Say("a", """{"type":"add","phase":"pake","body":"ab"}""");

        var again = new Stage(store);
        again.Say("b", """{"type":"bind","appid":"x","side":"s2"}""");
        again.Say("b", """{"type":"claim","nameplate":"5"}""");
        Assert.Equal(mailbox, JsonNode.Parse(again.Answers[^1].Frame)!["mailbox"]!.GetValue<string>());
        again.Say("b", $$"""{"type":"open","mailbox":"{{mailbox}}"}""");
        Assert.Equal("message", again.Answers[^1].Type);
    }

    [Fact]
    public void Mailboxes_without_subscriber_go_after_eleven_minutes()
    {
        var stage = new Stage();
        stage.Say("a", """{"type":"bind","appid":"x","side":"s1"}""");
        stage.Say("a", """{"type":"claim","nameplate":"5"}""");
        stage.Time.Now += TimeSpan.FromMinutes(12);
        stage.Server.Prune();
        Assert.Equal((1, 0, 0), stage.Server.Counts);
    }

    [Fact]
    public void Any_frame_is_answered_or_passed_over()
    {
        var corpus = WormholeVectors.Read("mailbox-server.json").GetProperty("scenes").EnumerateObject().SelectMany(scene => scene.Value.EnumerateArray())
            .Where(step => step.TryGetProperty("sent", out var sent) && sent.GetString()!.Length < 500).Select(step => Encoding.UTF8.GetBytes(step.GetProperty("sent").GetString()!)).ToArray();
        var server = new MailboxServer(new MailboxServerOptions(), TimeProvider.System, new Prng(1), null);
        // One frame makes an ack, an answer and the documents of a parser: a constant factor, and tables with bounds.
        var session = server.Connect("", 0, true, _ => true)!;
        session.Receive("""{"type":"bind","appid":"x","side":"s"}"""u8.ToArray());
        Fuzz.Run("mailbox-frame", corpus, bytes => session.Receive(bytes.ToArray()), allocationFactor: 256);
    }

    private sealed class MemoryStore : IMailboxStore
    {
        private readonly List<MailboxChange> _changes = [];
        public IReadOnlyList<MailboxChange> Load() => [.. _changes];
        public void Commit(IReadOnlyList<MailboxChange> changes) => _changes.AddRange(changes);
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch.AddYears(56);
        public override DateTimeOffset GetUtcNow() => Now;
    }

    private sealed class Stage
    {
        private readonly Dictionary<string, MailboxSession> _sessions = [];
        private readonly Dictionary<string, Queue<string>> _waiting = [];
        private readonly Dictionary<string, string> _renamed = [];

        public Stage(IMailboxStore? store = null) =>
            Server = new MailboxServer(new MailboxServerOptions { Listing = MailboxListing.Everybody }, Time, new Prng(5), store);

        public Clock Time { get; } = new();
        public MailboxServer Server { get; }
        public List<(string Who, string Type, string Frame)> Answers { get; } = [];
        public IEnumerable<MailboxSession> Everybody => _sessions.Values;
        public bool AllTaken => _waiting.Values.All(queue => queue.Count == 0);

        public void Say(string who, string text) => Of(who).Receive(Encoding.UTF8.GetBytes(text));

        public void Perform(JsonElement step)
        {
            var who = step.Text("who");
            _ = Of(who);
            if (step.TryGetProperty("received", out var received) && received.ValueKind == JsonValueKind.Object) Rename(who, received);
            if (step.TryGetProperty("sent", out var sent)) Say(who, Ours(Whole(sent.GetString()!)));
            if (step.TryGetProperty("sent_binary", out var binary)) Say(who, Ours(binary.GetString()!));
        }

        public void Check(string scene, JsonElement step)
        {
            var who = step.Text("who");
            _ = Of(who);
            if (!step.TryGetProperty("received", out var received)) { Perform(step); return; }
            Assert.True(_waiting[who].TryDequeue(out var frame), $"{scene}: no answer where the stock server says {received}");
            var (expected, got) = ((JsonObject)JsonNode.Parse(received.GetRawText())!, (JsonObject)JsonNode.Parse(frame)!);
            foreach (var random in (string[])["nameplate", "mailbox"])
                if (expected["type"]!.GetValue<string>() is "allocated" or "claimed" && expected[random] is { } theirs) _renamed[theirs.GetValue<string>()] = got[random]!.GetValue<string>();
            foreach (var time in (string[])["server_tx", "server_rx"])
            {
                Assert.Equal(expected.ContainsKey(time), got.ContainsKey(time));
                expected.Remove(time);
                got.Remove(time);
            }
            var renamed = JsonNode.Parse(Ours(expected.ToJsonString()))!;
            Assert.True(JsonNode.DeepEquals(renamed, got), $"{scene}: {renamed.ToJsonString()} but {got.ToJsonString()}");
        }

        private void Rename(string who, JsonElement received)
        {
            if (!received.TryGetProperty("type", out var type) || type.GetString() is not "claimed") return;
            if (Answers.LastOrDefault(answer => answer.Who == who && answer.Type == "claimed").Frame is { } frame)
                _renamed[received.Text("mailbox")] = JsonNode.Parse(frame)!["mailbox"]!.GetValue<string>();
        }

        private static string Whole(string text) => text.Contains('…')
            ? text[..text.IndexOf('…')] + new string('a', 2_000_000) + "\"}" : text;

        private string Ours(string text)
        {
            foreach (var (theirs, ours) in _renamed) text = text.Replace($"\"{theirs}\"", $"\"{ours}\"", StringComparison.Ordinal);
            return text;
        }

        private MailboxSession Of(string who)
        {
            if (_sessions.TryGetValue(who, out var session)) return session;
            _waiting[who] = new Queue<string>();
            return _sessions[who] = Server.Connect("", 0, true, bytes =>
            {
                var frame = Encoding.UTF8.GetString(bytes);
                _waiting[who].Enqueue(frame);
                Answers.Add((who, JsonNode.Parse(frame)!["type"]!.GetValue<string>(), frame));
                return true;
            })!;
        }
    }
}
