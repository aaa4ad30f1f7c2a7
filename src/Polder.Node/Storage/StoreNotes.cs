using Polder.Cryptography;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Node.Storage;

/// <summary>What the store holds beside blocks, few enough to be in memory: frauds, refusals, blocks refused lately, and facts.</summary>
/// <param name="writer">Where changes go; throws for a store that is only read.</param>
internal sealed class StoreNotes(Func<WriteQueue> writer)
{
    private readonly FraudBook _frauds = new();
    private readonly HashSet<Hash256> _refusals = [];
    private readonly RefusedBlocks _refused = new();
    private readonly Dictionary<string, byte[]> _facts = [];

    public IReadOnlyList<FraudProof> Frauds => _frauds.All;
    public FraudProof? FraudOf(ReadOnlySpan<byte> key) => _frauds.Of(key);
    public IReadOnlyCollection<Hash256> Refusals => _refusals;

    public byte[]? Fact(string name) => _facts.GetValueOrDefault(name);

    public void SetFact(string name, byte[]? value)
    {
        if (value is null) _facts.Remove(name);
        else _facts[name] = value;
        writer().Write((name, value), static (batch, fact) => batch.Facts.Add(fact));
    }

    public bool AddFraud(FraudProof proof)
    {
        if (!_frauds.Add(proof)) return false;
        writer().Write(proof, static (batch, added) => batch.Frauds.Add(added));
        return true;
    }

    public bool IsRefused(Hash256 proposal) => _refusals.Contains(proposal);

    public void AddRefusal(Hash256 proposal)
    {
        if (_refusals.Add(proposal)) writer().Write(proposal, static (batch, added) => batch.Refusals.Add(added));
    }

    public IReadOnlyList<RefusedBlock> Refused(ReadOnlySpan<byte> key) => _refused.Of(key);

    public void AddRefused(RefusedBlock block) => _refused.Add(block);

    public void Load(Database database)
    {
        var frauds = database.Prepare("SELECT kind, first, second, proposal FROM frauds ORDER BY ordinal");
        while (frauds.Step())
            if (HalfBlock.TryUnpack(frauds.Blob(1), out var first) && HalfBlock.TryUnpack(frauds.Blob(2), out var second))
                _frauds.Add(new FraudProof((FraudKind)frauds.Number(0), first, second) { Proposal = HalfBlock.TryUnpack(frauds.Blob(3), out var proposal) ? proposal : null });
        var refusals = database.Prepare("SELECT hash FROM refusals");
        while (refusals.Step()) _refusals.Add(new Hash256(refusals.Blob(0)));
        var facts = database.Prepare("SELECT name, value FROM facts");
        while (facts.Step()) _facts[System.Text.Encoding.UTF8.GetString(facts.Blob(0))] = facts.Blob(1).ToArray();
    }
}
