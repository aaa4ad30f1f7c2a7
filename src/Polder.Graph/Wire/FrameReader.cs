using Polder.Graph.Json;
using Polder.Graph.Model;

namespace Polder.Graph.Wire;

/// <summary>What became of a frame.</summary>
internal enum FrameResult : byte { Read, Ignored, TooLarge }

/// <summary>
/// Reads a text frame: one message <c>{…}</c>, or a batch <c>[…]</c> of messages or of their JSON texts; everything else is ignored, as
/// gun.js does. A bare word costs only the message that holds it; a broken batch gives what stands before the fault. Pure, and never throws.
/// </summary>
internal static class FrameReader
{
    private const int ServedCharactersMax = 99;

    /// <summary>Adds the messages of a frame to <paramref name="messages"/>.</summary>
    public static FrameResult Read(ReadOnlySpan<char> frame, GraphOptions options, List<GraphMessage> messages)
    {
        if (frame.Length == 0 || frame[0] is not ('{' or '[')) return FrameResult.Ignored;
        if (frame.Length > options.FrameCharactersMax) return FrameResult.TooLarge;
        var parser = new JsonParser(frame, bareWords: true);
        if (frame[0] == '{')
        {
            if (parser.TryRead(0) is { } item) Add(item, options, messages);
            return FrameResult.Read;
        }
        _ = parser.TryTake('[');
        for (var count = 0; count < options.BatchMessagesMax && parser.TryRead(1) is { } item; count++)
        {
            if (item.Kind == JsonKind.Text)
            {
                var inner = new JsonParser(item.Text, bareWords: true);
                if (inner.TryRead(1) is { } read) Add(read, options, messages);
            }
            else Add(item, options, messages);
            if (!parser.TryTake(',')) break;
        }
        return FrameResult.Read;
    }

    private static void Add(JsonItem item, GraphOptions options, List<GraphMessage> messages)
    {
        if (item.Kind != JsonKind.Object || item.HasBareWord()) return;
        messages.Add(Message(item, options));
    }

    private static GraphMessage Message(JsonItem item, GraphOptions options)
    {
        List<GraphWrite>? put = null;
        string? fault = null;
        if (item["put"] is { Kind: not JsonKind.Null } given)
        {
            put = [];
            fault = PutReader.Read(given, options, put);
            if (fault is not null) put.Clear();
        }
        var dam = item["dam"]?.AsText;
        var get = item["get"] is { IsTruthy: true } asked ? asked : null;
        return new GraphMessage
        {
            Id = Bounded(MessageId.From(item["#"]), options), ReplyTo = Bounded(MessageId.From(item["@"]), options), Put = put, PutFault = fault,
            Get = get is null ? null : Read(get, options), HasGet = get is not null, Ok = item["ok"], Error = item["err"]?.AsText,
            Hash = item["##"] is { } hash ? MessageId.From(hash)?.Text : null, Dam = dam, PeerId = item["pid"]?.AsText,
            Served = item["><"]?.AsText is { } served ? served[..Math.Min(served.Length, ServedCharactersMax)] : null,
            Extension = dam is null ? null : item,
        };
    }

    private static MessageId? Bounded(MessageId? id, GraphOptions options) => id is { } given && given.Text.Length > options.NameCharactersMax ? null : id;

    private static GetRequest? Read(JsonItem get, GraphOptions options)
    {
        if (get["#"] is not { } soul || !Lexical.TryFrom(soul, out var souls) || !Fits(souls, options)) return null;
        Lexical? keys = null;
        if (get["."] is { } key && key is not { Kind: JsonKind.Text, Text: "" })
        {
            if (!Lexical.TryFrom(key, out keys) || !Fits(keys, options)) return null;
        }
        // "-" may stand beside the range too.
        if (get["-"] is { IsTruthy: true }) (souls, keys) = keys is null ? (souls with { Backwards = true }, null) : (souls, keys with { Backwards = true });
        return new GetRequest(souls, keys, get["%"] is { Kind: JsonKind.Number } budget ? budget.Number : null, get);
    }

    private static bool Fits(Lexical query, GraphOptions options) =>
        Math.Max(Math.Max(query.Exact?.Length ?? 0, query.Prefix?.Length ?? 0), Math.Max(query.From?.Length ?? 0, query.To?.Length ?? 0)) <= options.NameCharactersMax;
}
