using Polder.Node.Operations;

namespace Polder.Host.Pages.Chain;

/// <summary>A block beside the half of its counterparty, as far as known.</summary>
public sealed record Pair(BlockView Mine, BlockView? Other);

/// <param name="Chain">The window of the chain that is drawn; null when there is none to show.</param>
/// <param name="Pairs">The blocks that are listed, newest first.</param>
/// <param name="Searched">What was asked for.</param>
/// <param name="Problem">Why there is nothing to show.</param>
/// <param name="Before">Blocks below this number only; null for the newest.</param>
public sealed record ChainModel(
    FrameModel Frame, ChainView? Chain, IReadOnlyList<Pair> Pairs, IReadOnlyList<FraudView> Frauds, IReadOnlyList<string> Names,
    string Searched, string? Problem, long? Before) : IPageModel
{
    /// <summary>What a search found, when more than one chain or a block was meant; null otherwise.</summary>
    public LedgerSearchView? Found { get; init; }

    public bool IsOwn => Chain is not null && Chain.Owner.PublicKey == Frame.Status.Identity.PublicKey;
    public string Title => Chain is null ? "Chain" : $"Chain of {Chain.Owner.Name}";
    public string Here => "chain";
    public Type Body => typeof(ChainPage);
    public IReadOnlyList<Type> Live { get; } = [typeof(ChainStones), typeof(ChainBlocks), typeof(ChainFrauds)];
}

public sealed record BlockModel(FrameModel Frame, BlockDetail Detail, string OwnerName, string OtherName, bool Fraud) : IPageModel
{
    public string Title => $"Block {Detail.Block.Sequence} of {OwnerName}";
    public string Here => "chain";
    public Type Body => typeof(BlockPage);
    public IReadOnlyList<Type> Live => [];
}
