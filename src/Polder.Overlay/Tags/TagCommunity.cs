namespace Polder.Overlay.Tags;

/// <summary>The overlay of one tag: introductions under its own id, within its budget. What is said in it is its applications' business.</summary>
internal sealed class TagCommunity : Community
{
    /// <summary>Members known beyond the neighbours, from whom the plan may choose.</summary>
    private const int SparesMax = 16;

    public TagCommunity(CommunityContext context, string name, TagBudget budget) : base(TagName.IdOf(name), context)
    {
        Name = name;
        Meter = new TagMeter(budget, context.Host.Now);
    }

    public string Name { get; }

    public TagMeter Meter { get; }

    /// <summary>The members that the plan keeps as neighbours in this tag.</summary>
    public List<Peer> Neighbours { get; } = [];

    public TagBudget Budget => Meter.Budget;

    internal override int PeersTarget => Math.Min(Host.Options.WalkTarget, Budget.Neighbours);

    internal override int PeersMax => Budget.Neighbours + SparesMax;

    internal override bool MaySend(int bytes) => Meter.TrySend(bytes, Now);

    internal override bool MayReceive(int bytes) => Meter.TryReceive(bytes, Now);

    protected internal override void OnForgotten(Peer peer) => Neighbours.Remove(peer);
}
