using Polder.Graph.Model;

namespace Polder.Apps.Graphs;

/// <summary>A topic that both sides of a conversation keep, and how far it is.</summary>
internal sealed class CommonTopic(SharedTopic topic, ulong tag, PeerCopies copies)
{
    public SharedTopic Topic => topic;
    public ulong Tag => tag;
    public PeerCopies Copies => copies;

    /// <summary>Places that changed here and were not sent yet.</summary>
    public Dictionary<ulong, (string Soul, string Key)> Dirty { get; } = [];

    /// <summary>Of places that were sent, the last frame that holds them: only what was said of that one counts.</summary>
    public Dictionary<ulong, uint> LastSent { get; } = [];

    /// <summary>What they sent lately, so that it is not sent back.</summary>
    public Dictionary<ulong, UInt128> Theirs { get; } = [];

    public long ComparedVersion { get; set; } = -1;
    public TimeSpan CompareAt { get; set; }
    public TimeSpan Wait { get; set; } = GraphTalk.CompareSoon;
    public bool IsArmed { get; set; }
    public bool IsCollecting { get; set; }
    public Action<GraphWrite>? Listener { get; set; }
}
