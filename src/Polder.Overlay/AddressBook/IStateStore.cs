namespace Polder.Overlay.AddressBook;

/// <summary>The small things of the overlay that outlive a run, each written whole.</summary>
public enum StatePart
{
    /// <summary>Addresses heard of and tried (overlay.md §8.2).</summary>
    AddressBook,
    /// <summary>The longest-lived neighbours of the last run.</summary>
    Anchors,
    /// <summary>Invitations given and taken, with the tokens that still count.</summary>
    Invitations,
    /// <summary>Peers that the owner knows.</summary>
    Contacts,
    /// <summary>Tags joined, with their budgets.</summary>
    Tags,
    /// <summary>Our own records in the DHT, which are stored again and again.</summary>
    DhtRecords,
    /// <summary>Keys that had sessions with us.</summary>
    StickyKeys,
    /// <summary>When which chain was looked at last, while everybody's are fetched.</summary>
    CrawlProgress,
    /// <summary>What the owner knows of each contact: names, notes, who is verified or blocked.</summary>
    ContactBook,
    /// <summary>Topics of the graph that are kept together with other nodes.</summary>
    GraphTopics,
}

/// <summary>
/// Keeps small state between two runs, each part replaced in one step: after a crash either the old or the new one is there.
/// Offer one to the node before it starts: <c>host.Offer&lt;IStateStore&gt;(…)</c>; without one nothing outlives the run. What is
/// loaded is untrusted.
/// </summary>
public interface IStateStore
{
    /// <summary>What was saved last; null when nothing was, or it cannot be read.</summary>
    byte[]? Load(StatePart part);

    /// <summary>
    /// Replaces a part. Called on the loop; slow writing is queued, and of what waits only the newest is written. Completes on the
    /// loop: true when it is on the disk, false when the disk refused.
    /// </summary>
    Task<bool> SaveAsync(StatePart part, byte[] content);
}

/// <summary>Keeps state in memory: for simulations, where it outlives a crash, and tests.</summary>
public sealed class MemoryStateStore : IStateStore
{
    private readonly byte[]?[] _parts = new byte[]?[Enum.GetValues<StatePart>().Length];

    /// <summary>How often each part was saved.</summary>
    public IReadOnlyList<int> Saves => _saves;
    private readonly int[] _saves = new int[Enum.GetValues<StatePart>().Length];

    /// <inheritdoc/>
    public byte[]? Load(StatePart part) => _parts[(int)part]?.ToArray();

    /// <inheritdoc/>
    public Task<bool> SaveAsync(StatePart part, byte[] content)
    {
        ArgumentNullException.ThrowIfNull(content);
        _parts[(int)part] = content.ToArray();
        _saves[(int)part]++;
        return Task.FromResult(true);
    }
}
