namespace Polder.Ledger.Stores;

/// <summary>The proofs of a store in memory, in order, and found by their culprit: every block that is judged asks for two of them.</summary>
internal sealed class FraudBook
{
    private readonly List<FraudProof> _all = [];
    private readonly Dictionary<byte[], List<FraudProof>> _byCulprit = new(KeyBytesComparer.Instance);

    public IReadOnlyList<FraudProof> All => _all;

    /// <summary>The first proof against the owner of this key.</summary>
    public FraudProof? Of(ReadOnlySpan<byte> key) =>
        _byCulprit.Count > 0 && _byCulprit.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out var proofs) ? proofs[0] : null;

    /// <summary>False when the same two blocks are here already.</summary>
    public bool Add(FraudProof proof)
    {
        var byCulprit = _byCulprit.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (!byCulprit.TryGetValue(proof.Culprit, out var proofs)) byCulprit[proof.Culprit] = proofs = [];
        foreach (var known in proofs)
            if (known.SameBlocks(proof)) return false;
        proofs.Add(proof);
        _all.Add(proof);
        return true;
    }
}
