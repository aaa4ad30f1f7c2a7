namespace Polder.Ledger.Reputation;

/// <summary>Help that its consumer signed and its contributor did not: what a peer says against itself. By numbers.</summary>
internal sealed class UnconfirmedClaims
{
    private readonly Dictionary<int, SortedDictionary<int, long>> _byHelper = [];

    public bool IsEmpty => _byHelper.Count == 0;

    public void Add(int helper, int signer, long amount)
    {
        if (!_byHelper.TryGetValue(helper, out var claims)) _byHelper[helper] = claims = [];
        var sum = claims.GetValueOrDefault(signer) + amount;
        if (sum > 0) claims[signer] = Math.Min(sum, PeerWork.SumMax);
        else claims.Remove(signer);
        if (claims.Count == 0) _byHelper.Remove(helper);
    }

    /// <summary>What the signer says it got from the helper.</summary>
    public long Of(int helper, int signer) => _byHelper.TryGetValue(helper, out var claims) ? claims.GetValueOrDefault(signer) : 0;

    /// <summary>Everybody who says to have got something from the helper, by number; null when there is nobody.</summary>
    public SortedDictionary<int, long>? To(int helper) => _byHelper.GetValueOrDefault(helper);

    /// <summary>Forgets all claims of and about a peer; answers those that others had made about it.</summary>
    public IReadOnlyList<KeyValuePair<int, long>> Remove(int peer)
    {
        IReadOnlyList<KeyValuePair<int, long>> about = _byHelper.Remove(peer, out var claims) ? [.. claims] : [];
        foreach (var (helper, others) in _byHelper.ToArray())
            if (others.Remove(peer) && others.Count == 0) _byHelper.Remove(helper);
        return about;
    }
}
