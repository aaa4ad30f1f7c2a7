using System.Globalization;
using Polder.Node.Operations.People;

namespace Polder.Host.Pages.Graph;

/// <summary>The page Graph: souls, or one node with its keys.</summary>
/// <param name="Status">How the graph is doing.</param>
/// <param name="Prefix">What the listed souls begin with.</param>
/// <param name="Soul">The node that is shown; null for the list.</param>
/// <param name="Souls">The list.</param>
/// <param name="Node">The node.</param>
/// <param name="Topics">Topics that are kept with others.</param>
/// <param name="Topic">The form that adds one.</param>
public sealed record GraphModel(FrameModel Frame, GraphStatusView Status, string Prefix, string? Soul, GraphSoulsView? Souls, GraphNodeView? Node, GraphTopicsView Topics, FormState Topic) : IPageModel
{
    public string Title => Soul is null ? "Graph" : $"Graph · {Soul}";
    public string Here => "graph";
    public Type Body => typeof(GraphPageBody);
    public IReadOnlyList<Type> Live => [typeof(GraphTally), typeof(GraphContent), typeof(GraphTopics)];

    /// <summary>"/graph?…".</summary>
    public static string Link(string? prefix, string? soul, string? after = null) =>
        "/graph?" + string.Join('&', new[] { ("prefix", prefix), ("soul", soul), ("after", after) }
            .Where(static pair => !string.IsNullOrEmpty(pair.Item2)).Select(static pair => pair.Item1 + "=" + Uri.EscapeDataString(pair.Item2!)));

    /// <summary>A state as a time, where it is one.</summary>
    public static string When(double state) => state is > 0 and < 253402300799999
        ? DateTimeOffset.FromUnixTimeMilliseconds((long)state).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) : state.ToString(CultureInfo.InvariantCulture);

    /// <summary>Who keeps a topic too, in words.</summary>
    public static string With(GraphTopicView topic) => topic.Peers.Count == 0 ? "nobody yet"
        : string.Join(", ", topic.Peers.Select(static peer => Short(peer.Name ?? peer.Key[..Math.Min(16, peer.Key.Length)]) + (peer.IsConnected ? "" : " (away)")));

    /// <summary>A value short enough for a table, without signs that turn the writing round.</summary>
    public static string Short(string value) => Chat.ChatModel.Plain(value.Length <= 300 ? value : value[..300] + "…");
}
