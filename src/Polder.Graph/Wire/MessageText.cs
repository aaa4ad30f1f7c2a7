using System.Globalization;
using System.Text;
using Polder.Graph.Json;

namespace Polder.Graph.Wire;

/// <summary>Writes the messages that we send: strict JSON, fields sorted.</summary>
internal static class MessageText
{
    /// <summary>Names that a peer list may have at most.</summary>
    public const int ServedMax = 7;

    public static string Acknowledge(string id, MessageId to)
    {
        var text = Start(id);
        ReplyTo(text, to);
        return text.Append(",\"ok\":true}").ToString();
    }

    public static string Refuse(string id, MessageId to, string error)
    {
        var text = Start(id);
        ReplyTo(text, to);
        text.Append(",\"err\":");
        JsonText.Quote(text, error);
        return text.Append('}').ToString();
    }

    public static string NotFound(string id, MessageId to)
    {
        var text = Start(id);
        ReplyTo(text, to);
        return text.Append('}').ToString();
    }

    /// <param name="id">Our id.</param>
    /// <param name="to">What is answered.</param>
    /// <param name="put">The data.</param>
    /// <param name="next">The id of the next slice, if there is one.</param>
    public static string Answer(string id, MessageId to, string put, string? next)
    {
        var text = Start(id, put.Length);
        text.Append(",\"##\":").Append(CultureInfo.InvariantCulture, $"{TextHash.Of(put)}");
        if (next is not null) text.Append(",\"%\":\"").Append(next).Append('"');
        ReplyTo(text, to);
        return text.Append(",\"put\":").Append(put).Append('}').ToString();
    }

    public static string Push(string id, string put) => Start(id, put.Length).Append(",\"put\":").Append(put).Append('}').ToString();

    /// <summary>A question of our own for a whole node, or one key of it.</summary>
    public static string Ask(string id, string soul, string? key = null)
    {
        var text = Start(id);
        text.Append(",\"get\":{\"#\":");
        JsonText.Quote(text, soul);
        if (key is not null)
        {
            text.Append(",\".\":");
            JsonText.Quote(text, key);
        }
        return text.Append("}}").ToString();
    }

    /// <summary>Another peer's question passed on under its own id.</summary>
    public static string Relay(MessageId id, JsonItem get, string? hash, IEnumerable<string> served)
    {
        var text = new StringBuilder("{\"#\":");
        Write(text, id);
        if (hash is not null) text.Append(",\"##\":").Append(hash);
        var names = string.Join(',', served.Take(ServedMax));
        if (names.Length > 0)
        {
            text.Append(",\"><\":");
            JsonText.Quote(text, names);
        }
        text.Append(",\"get\":");
        JsonText.Write(text, get, sorted: true);
        return text.Append('}').ToString();
    }

    public static string Hello(string id, string peerId, MessageId? to)
    {
        var text = Start(id);
        if (to is { } answered) ReplyTo(text, answered);
        text.Append(",\"dam\":\"?\",\"pid\":");
        JsonText.Quote(text, peerId);
        return text.Append('}').ToString();
    }

    public static string Complain(string error)
    {
        var text = new StringBuilder("{\"dam\":\"!\",\"err\":");
        JsonText.Quote(text, error);
        return text.Append('}').ToString();
    }

    private static StringBuilder Start(string id, int length = 0)
    {
        var text = new StringBuilder(length + 96);
        text.Append("{\"#\":");
        JsonText.Quote(text, id);
        return text;
    }

    private static void ReplyTo(StringBuilder text, MessageId to)
    {
        text.Append(",\"@\":");
        Write(text, to);
    }

    private static void Write(StringBuilder text, MessageId id)
    {
        if (id.IsNumber) text.Append(id.Text);
        else JsonText.Quote(text, id.Text);
    }
}
