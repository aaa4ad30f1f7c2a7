using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Codes;
using Polder.Apps.Parcels.Mailbox;
using Polder.Apps.Parcels.Stock;
using Polder.Cryptography;
using Polder.Runtime;

namespace Polder.Tests.Apps.Parcels;

/// <summary>Recorded conversations of the stock programs: our run, given the same randomness and the same server, says the same.</summary>
public sealed class ConversationTests
{
    [Fact]
    public void Both_sides_of_every_conversation_say_what_the_stock_program_said()
    {
        foreach (var file in WormholeVectors.Conversations)
        {
            var vectors = WormholeVectors.Read(file);
            foreach (var who in (string[])["sender", "receiver"])
            {
                if (!vectors.GetProperty("secrets").TryGetProperty(who, out var secrets) || secrets.ValueKind != JsonValueKind.Object || !secrets.TryGetProperty("password", out _)) continue;
                Replay(file, who, vectors, secrets);
            }
        }
    }

    [Fact]
    public void A_server_that_is_unwelcoming_ends_the_run_with_its_words()
    {
        var vectors = WormholeVectors.Read("conversation-unwelcome.json");
        var run = new WormholeRun(WormholeKeys.FileTransferAppId, "{}", new Prng(1).Fill, new Prng(2));
        run.Client.Connected();
        foreach (var step in vectors.GetProperty("events").EnumerateArray().Where(step => step.TryGetProperty("direction", out var d) && d.GetString() == "from server"))
            run.Take(run.Client.Receive(Encoding.UTF8.GetBytes(step.Text("text"))));
        Assert.Equal(RunState.Failed, run.State);
        Assert.False(string.IsNullOrEmpty(run.Complaint));
        Assert.Empty(run.Client.TakeFrames());
    }

    [Fact]
    public void Everything_that_was_encrypted_opens_with_the_derived_keys()
    {
        foreach (var file in WormholeVectors.Conversations)
        {
            foreach (var person in WormholeVectors.Read(file).GetProperty("secrets").EnumerateObject())
            {
                if (person.Value.ValueKind != JsonValueKind.Object || !person.Value.TryGetProperty("key", out _)) continue;
                var keys = new WormholeKeys(new Hash256(person.Value.Hex("key")));
                foreach (var derived in person.Value.GetProperty("derived").EnumerateArray())
                    Assert.Equal(derived.Text("out"), Convert.ToHexStringLower(keys.Derive(derived.Hex("purpose"), 32)));
            }
        }
    }

    [Fact]
    public void Messages_of_the_dialogue_are_read_and_ours_have_the_same_form()
    {
        foreach (var file in WormholeVectors.Conversations)
        {
            foreach (var step in WormholeVectors.Read(file).GetProperty("events").EnumerateArray())
            {
                if (!step.TryGetProperty("plaintext", out var text) || text.GetString()!.Contains("app_versions", StringComparison.Ordinal)) continue;
                var message = StockMessage.Read(Encoding.UTF8.GetBytes(text.GetString()!));
                Assert.NotNull(message);
                if (message.Value.Offer is not { } offer) continue;
                var judged = StockOffer.Judge(offer);
                Assert.Null(judged.Error);
                var ours = judged.Offer!.Kind switch
                {
                    ParcelKind.Text => StockMessage.OfText(judged.Text!),
                    ParcelKind.File => StockMessage.OfFile(judged.Offer.Name, judged.Offer.SizeBytes),
                    _ => StockMessage.OfFolder(judged.Offer.Name, judged.Offer.SizeBytes, judged.Offer.UnpackedBytes!.Value, judged.Offer.FileCount!.Value),
                };
                Assert.True(JsonNode.DeepEquals(JsonNode.Parse(text.GetString()!), JsonNode.Parse(ours)), file);
            }
        }
    }

    [Fact]
    public void After_a_lost_line_only_what_was_not_echoed_is_said_again()
    {
        var run = new WormholeRun("app", "{}", new Prng(1).Fill, new Prng(2));
        Assert.True(WormholeCode.TryParse("4-x", out var code, out _));
        run.Use(code);
        Assert.Equal(["bind", "claim"], Connect(run));
        Tell(run, """{"type":"claimed","mailbox":"m"}""");
        var first = Types(run);
        Assert.Equal(["open", "add"], first);
        // The line breaks before the echo: open and add again, no second claim.
        run.Client.Disconnected();
        Assert.Equal(["bind", "open", "add"], Connect(run, out var frames));
        var add = JsonNode.Parse(frames[^1])!;
        Tell(run, $$"""{"type":"message","side":"{{run.Client.Side}}","phase":"pake","body":"{{add["body"]}}","id":null}""");
        run.Client.Disconnected();
        Assert.Equal(["bind", "open"], Connect(run));
        run.Client.Close("lonely");
        Assert.Equal(["release", "close"], Types(run));
        run.Client.Disconnected();
        Assert.Equal(["bind", "release", "close"], Connect(run));
        Tell(run, """{"type":"closed"}""");
        Assert.True(run.Client.IsClosed);
    }

    [Fact]
    public void Where_no_guess_is_left_nothing_is_shown_to_whoever_comes()
    {
        Assert.True(WormholeCode.TryParse("4-x", out var code, out _));
        var run = new WormholeRun("app", "{}", new Prng(1).Fill, new Prng(2)) { MayConfirm = static () => false };
        var other = new WormholeRun("app", "{}", new Prng(3).Fill, new Prng(4));
        run.Use(code);
        other.Use(code);
        Connect(run);
        Tell(run, """{"type":"claimed","mailbox":"m"}""");
        Types(run);
        Connect(other);
        Tell(other, """{"type":"claimed","mailbox":"m"}""");
        var pake = other.Client.TakeFrames().Select(frame => JsonNode.Parse(frame)!).First(frame => frame["type"]!.GetValue<string>() == "add")["body"];
        Tell(run, $$"""{"type":"message","side":"{{other.Client.Side}}","phase":"pake","body":"{{pake}}","id":null}""");
        Assert.Equal(RunState.Left, run.State);
        Assert.Equal(["release", "close"], Types(run));
    }

    [Fact]
    public void A_pake_that_no_honest_side_sends_is_a_wrong_code()
    {
        foreach (var body in (string[])["{}", "[]", "x", """{"pake_v1":5}""", """{"pake_v1":"zz"}""", """{"pake_v1":"53"}"""])
        {
            var run = new WormholeRun("app", "{}", new Prng(1).Fill, new Prng(2));
            Assert.True(WormholeCode.TryParse("4-x", out var code, out _));
            run.Use(code);
            run.Client.Connected();
            Tell(run, $$"""{"type":"message","side":"other","phase":"pake","body":"{{Convert.ToHexString(Encoding.UTF8.GetBytes(body))}}","id":null}""");
            Assert.Equal(RunState.WrongCode, run.State);
        }
    }

    [Fact]
    public void Any_frame_of_a_server_is_read_without_harm()
    {
        var corpus = WormholeVectors.Conversations.SelectMany(file => WormholeVectors.Read(file).GetProperty("events").EnumerateArray())
            .Where(step => step.TryGetProperty("direction", out var d) && d.GetString() == "from server").Select(step => Encoding.UTF8.GetBytes(step.Text("text"))).Take(60).ToArray();
        Assert.True(WormholeCode.TryParse("4-x", out var code, out _));
        var run = new WormholeRun("app", "{}", new Prng(1).Fill, new Prng(2));
        run.Use(code);
        run.Client.Connected();
        Fuzz.Run("mailbox-client", corpus, bytes =>
        {
            run.Take(run.Client.Receive(bytes.ToArray()));
            run.Client.TakeFrames();
        }, allocationFactor: 128);
    }

    [Fact]
    public void Any_message_of_the_other_side_is_judged_without_harm()
    {
        var corpus = WormholeVectors.Conversations.SelectMany(file => WormholeVectors.Read(file).GetProperty("events").EnumerateArray())
            .Where(step => step.TryGetProperty("plaintext", out _)).Select(step => Encoding.UTF8.GetBytes(step.Text("plaintext"))).ToArray();
        Fuzz.Run("stock-message", corpus, bytes =>
        {
            if (StockMessage.Read(bytes.ToArray()) is { Offer: { } offer }) StockOffer.Judge(offer);
        }, allocationFactor: 128);
    }

    private static void Replay(string file, string who, JsonElement vectors, JsonElement secrets)
    {
        var events = vectors.GetProperty("events").EnumerateArray().Where(step => step.Text("who") == who).ToArray();
        var bind = events.First(step => step.TryGetProperty("json", out var json) && json.Text("type") == "bind").GetProperty("json");
        var entropy = new byte[64];
        var scalar = secrets.Hex("scalar_le");
        scalar.AsSpan().Reverse();
        scalar.CopyTo(entropy, 32);
        var script = new Queue<byte[]>([Convert.FromHexString(bind.Text("side")), entropy]);
        foreach (var sealing in events.Where(step => step.TryGetProperty("inside", out var inside) && inside.GetString() == "encrypted")) script.Enqueue(sealing.Hex("nonce"));
        var run = new WormholeRun(bind.Text("appid"), "{}", bytes => script.Dequeue().CopyTo(bytes), new Prng(1));
        Assert.True(WormholeCode.TryParse(Encoding.UTF8.GetString(secrets.Hex("password")), out var code, out _));

        var said = new List<JsonObject>();
        if (events.Any(step => step.TryGetProperty("json", out var json) && json.Text("type") == "allocate")) run.Client.Allocate();
        else run.Use(code);
        run.Client.Connected();
        foreach (var step in events)
        {
            if (step.TryGetProperty("inside", out var inside))
            {
                if (inside.GetString() == "encrypted" && !step.Text("plaintext").Contains("app_versions", StringComparison.Ordinal)) run.Send(Encoding.UTF8.GetBytes(step.Text("plaintext")));
            }
            else if (step.Text("direction") == "from server")
            {
                var told = run.Client.Receive(Encoding.UTF8.GetBytes(step.Text("text")));
                run.Take(told);
                if (told is MailboxEvent.Allocated) run.Use(code);
            }
            else if (step.GetProperty("json").Text("type") == "close") run.Client.Close(step.GetProperty("json").Text("mood"));
            said.AddRange(run.Client.TakeFrames().Select(frame => (JsonObject)JsonNode.Parse(frame)!));
        }
        var expected = events.Where(step => step.TryGetProperty("direction", out var d) && d.GetString() == "to server").Select(step => (JsonObject)JsonNode.Parse(step.Text("text"))!).ToArray();
        var (theirs, ours) = (expected.Select(frame => Canonical(frame, run)).Order().ToArray(), said.Select(frame => Canonical(frame, run)).Order().ToArray());
        Assert.True(theirs.SequenceEqual(ours), $"{file}, {who}:\n{string.Join('\n', theirs)}\n--\n{string.Join('\n', ours)}");
    }

    /// <summary>A frame without what may differ: ids, names of programs, blanks in the JSON of pake and version.</summary>
    private static string Canonical(JsonObject frame, WormholeRun run)
    {
        frame = (JsonObject)frame.DeepClone();
        frame.Remove("id");
        frame.Remove("client_version");
        if (frame["phase"]?.GetValue<string>() is { } phase && frame["body"] is { } hex)
        {
            var body = Convert.FromHexString(hex.GetValue<string>());
            if (phase == "pake") frame["body"] = JsonNode.Parse(body);
            else if (phase == "version") frame["body"] = run.Keys!.TryOpen(run.Client.Side, phase, body) is { } plain ? JsonNode.Parse(plain) : "cannot be opened";
        }
        return string.Join('|', frame.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Key + "=" + pair.Value?.ToJsonString()));
    }

    private static string[] Connect(WormholeRun run) => Connect(run, out _);

    private static string[] Connect(WormholeRun run, out byte[][] frames)
    {
        run.Client.Connected();
        run.Take(run.Client.Receive("""{"type":"welcome","welcome":{}}"""u8.ToArray()));
        frames = run.Client.TakeFrames();
        return [.. frames.Select(frame => JsonNode.Parse(frame)!["type"]!.GetValue<string>())];
    }

    private static string[] Types(WormholeRun run) => [.. run.Client.TakeFrames().Select(frame => JsonNode.Parse(frame)!["type"]!.GetValue<string>())];

    private static void Tell(WormholeRun run, string json) => run.Take(run.Client.Receive(Encoding.UTF8.GetBytes(json)));
}
