using Polder.Graph.Json;
using Polder.Graph.Model;

namespace Polder.Graph.Wire;

/// <summary>The id of a message: a text, or a number, which is echoed as one.</summary>
internal readonly record struct MessageId(string Text, bool IsNumber)
{
    public static implicit operator MessageId(string text) => new(text, false);

    public static MessageId? From(JsonItem? item) => item switch
    {
        { Kind: JsonKind.Text, Text.Length: > 0 } => new MessageId(item.Text, false),
        { Kind: JsonKind.Number } => new MessageId(NumberText.Of(item.Number), true),
        _ => default(MessageId?),
    };

    public override string ToString() => Text;
}

/// <summary>What is read: a soul or many, of it all keys, one or many.</summary>
/// <param name="Soul">Which nodes.</param>
/// <param name="Key">Which keys; null for all.</param>
/// <param name="Budget">Characters of values that a lexical answer may have; null: the first item only.</param>
/// <param name="Item">As it came, for relaying.</param>
internal sealed record GetRequest(Lexical Soul, Lexical? Key, double? Budget, JsonItem Item)
{
    /// <summary>The one soul that is asked for, where it is one.</summary>
    public string? ExactSoul => Soul is { Exact: { } soul, Prefix: null } ? soul : null;

    /// <summary>Whether a range of souls or keys is asked for.</summary>
    public bool IsLexical => ExactSoul is null || (Key is not null && Item["."]!.Kind != JsonKind.Text);
}

/// <summary>One message of the gun wire (docs/wire/gun.md), read and checked; nothing in it is trusted yet.</summary>
internal sealed class GraphMessage
{
    public MessageId? Id { get; init; }
    public MessageId? ReplyTo { get; init; }
    /// <summary>The writes of <c>put</c>; null where there is none.</summary>
    public List<GraphWrite>? Put { get; init; }
    /// <summary>What is wrong with <c>put</c>; then nothing of it counts.</summary>
    public string? PutFault { get; init; }
    public GetRequest? Get { get; init; }
    /// <summary>Whether a read was asked that nobody can answer, since it names no soul.</summary>
    public bool HasGet { get; init; }
    /// <summary><c>ok</c>, where it is there.</summary>
    public JsonItem? Ok { get; init; }
    public string? Error { get; init; }
    /// <summary><c>##</c> as text.</summary>
    public string? Hash { get; init; }
    public string? Dam { get; init; }
    public string? PeerId { get; init; }
    /// <summary><c>&gt;&lt;</c>: names of peers that have it already.</summary>
    public string? Served { get; init; }
    /// <summary>A message between own nodes, whole.</summary>
    public JsonItem? Extension { get; init; }
}
