using System.CommandLine;
using System.Globalization;
using System.Text;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands.Network;

/// <summary>polder dht get, put and find.</summary>
internal static class DhtCommands
{
    private const int ValueBytesMax = 1000;

    public static Command Dht(SharedOptions shared, Surroundings surroundings) => new("dht",
        "The distributed table of all nodes: small values under a key, kept by whoever is closest to it.")
    {
        Get(shared, surroundings), Put(shared, surroundings), Find(shared, surroundings),
    };

    private static Argument<string> Key(string more) =>
        new("KEY") { Description = more };

    private static Command Get(SharedOptions shared, Surroundings surroundings)
    {
        var key = Key("64 hex digits, PUBLICKEY/NAME for somebody's record, or the name of a record of mine.");
        var raw = new Option<bool>("--raw") { Description = "Only the first value's bytes, as they are." };
        var command = new Command("get", "The records under a key.") { key, raw };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var terminal = surroundings.Terminal;
            var answer = await terminal.WaitAsync("Asking the nodes near it", () => node.Network.DhtGetAsync(parsed.GetValue(key)!, stop)).ConfigureAwait(false);
            if (json) terminal.Json(answer, HostJson.Default.DhtAnswer);
            else if (answer.Records.Count > 0 && parsed.GetValue(raw)) terminal.Output.Write(Encoding.UTF8.GetString(answer.Records[0].Value));
            else
            {
                foreach (var record in answer.Records)
                {
                    terminal.Say(Readable(record.Value));
                    terminal.Say(terminal.Faint(string.Create(CultureInfo.InvariantCulture,
                        $"  {record.Kind}{(record.Publisher is { } who ? $" by {who.Name}, number {record.Sequence}" : "")}{(record.ExpiresSeconds is { } left ? $", holds {left / 60:0} min more" : "")}")));
                }
                terminal.Note(string.Create(CultureInfo.InvariantCulture,
                    $"{Words.Count(answer.Records.Count, "record")} under {answer.Key}, {Words.Count(answer.Messages, "question")}, {answer.ElapsedMs:0} ms"));
                if (answer.Disagreement) terminal.Note("Nodes on different paths gave different answers; what was signed last is shown first.");
            }
            return answer.Records.Count > 0 ? CommandLine.Done : CommandLine.NotFound;
        });
        return command;
    }

    private static Command Put(SharedOptions shared, Surroundings surroundings)
    {
        var value = new Argument<string>("VALUE") { Description = "The text, or @FILE for a file's bytes; at most 1000 bytes." };
        var name = new Option<string?>("--name") { Description = "Store it as a record of mine under this name; putting again replaces it.", HelpName = "NAME" };
        var topic = new Option<string?>("--topic") { Description = "Say in this topic that I belong to it; the value, at most 256 bytes, is what others see of me.", HelpName = "WORD" };
        var hours = new Option<double>("--hours") { Description = "How long it is kept; renewed while this node runs.", HelpName = "HOURS", DefaultValueFactory = _ => 2 };
        var command = new Command("put", "Store a value. Without --name its key is its own hash, and nobody can change it.") { value, name, topic, hours };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var terminal = surroundings.Terminal;
            if (!(parsed.GetValue(hours) is > 0 and <= 24)) throw new OperationRefusedException(RefusalKind.BadInput, "--hours takes a number above 0, at most 24.");
            var bytes = await BytesAsync(parsed.GetValue(value)!, stop).ConfigureAwait(false);
            if (bytes.Length is 0 or > ValueBytesMax)
                throw new OperationRefusedException(RefusalKind.BadInput, $"A value has 1 to {ValueBytesMax} bytes; this one has {bytes.Length}.");
            var put = new DhtPut(bytes, parsed.GetValue(name), parsed.GetValue(topic), TimeSpan.FromHours(parsed.GetValue(hours)));
            var stored = await terminal.WaitAsync("Bringing it to the nodes near its key", () => node.Network.DhtPutAsync(put, stop)).ConfigureAwait(false);
            if (json) terminal.Json(stored, HostJson.Default.DhtStored);
            else
            {
                terminal.Say(stored.Key);
                terminal.Note($"{Words.Count(stored.Holders, "node")} keep it. {(parsed.GetValue(topic) is { } word ? $"Anybody finds me: polder dht find {word}" : $"Anybody gets it: polder dht get {stored.Key}")}");
            }
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Find(SharedOptions shared, Surroundings surroundings)
    {
        var key = Key("A peer: where it is. A word: who belongs to that topic. 64 hex digits: the nodes closest to that key.");
        var command = new Command("find", "Where a peer is, who belongs to a topic, or the nodes closest to a key.") { key };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var terminal = surroundings.Terminal;
            var found = await terminal.WaitAsync("Asking the nodes near it", () => node.Network.DhtFindAsync(parsed.GetValue(key)!, stop)).ConfigureAwait(false);
            if (json) terminal.Json(found, HostJson.Default.DhtNodes);
            else
            {
                if (found.Contact is { } contact)
                    terminal.Say($"{terminal.Strong(contact.Peer.Name)} says it is at {string.Join(", ", contact.Addresses)}{(contact.Relays.Count > 0 ? $"; relayed by {string.Join(", ", contact.Relays)}" : "")}");
                foreach (var member in found.Members) terminal.Say($"{terminal.Strong(member.Peer.Name)}  {Readable(member.Value)}");
                if (found.Nodes.Count > 0) terminal.Table(["node", "address", ">bits shared with the key"], found.Nodes.Select(one => (IReadOnlyList<string>)
                    [one.Peer.Name, one.Address, one.SharedBits.ToString(CultureInfo.InvariantCulture)]));
                if (found is { Nodes.Count: 0, Members.Count: 0, Contact: null }) terminal.Note("Nothing is known of it.");
                terminal.Note(found.Nodes.Count > 0 ? string.Create(CultureInfo.InvariantCulture, $"{found.ElapsedMs:0} ms")
                    : string.Create(CultureInfo.InvariantCulture, $"{Words.Count(found.Messages, "question")}, {found.ElapsedMs:0} ms"));
            }
            return found.Nodes.Count > 0 || found.Members.Count > 0 || found.Contact is not null ? CommandLine.Done : CommandLine.NotFound;
        });
        return command;
    }

    private static async Task<byte[]> BytesAsync(string value, CancellationToken stop)
    {
        if (!value.StartsWith('@')) return Encoding.UTF8.GetBytes(value);
        var path = Path.GetFullPath(value[1..]);
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > ValueBytesMax })
                throw new OperationRefusedException(RefusalKind.BadInput, $"{path} has more than {ValueBytesMax} bytes.");
            return await File.ReadAllBytesAsync(path, stop).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new OperationRefusedException(RefusalKind.BadInput, $"{path} cannot be read: {problem.Message}");
        }
    }

    /// <summary>Text where it is text, hex where it is not.</summary>
    private static string Readable(byte[] value)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(value);
            return Terminal.Clean(text);
        }
        catch (DecoderFallbackException) { return Convert.ToHexStringLower(value); }
    }
}
