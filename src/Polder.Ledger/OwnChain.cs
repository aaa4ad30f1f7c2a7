using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;
using Polder.Runtime;

namespace Polder.Ledger;

/// <summary>
/// The node's own chain: the one place where blocks are signed. Signing is serial, because it happens in one piece on the
/// loop; a block may stand on one that is not flushed yet, but leaves the node only after it is flushed itself, and so after
/// all before it. It never forks: it refuses, with words, while anything is doubtful.
/// </summary>
public sealed class OwnChain
{
    private readonly NodeEnvironment _environment;
    private readonly KeyPair _identity;
    private readonly IBlockStore _store;
    private readonly TrustChainOptions _options;
    private bool _uncertain, _anyway;
    private readonly RecoveryWitnesses _witnesses = new();
    private string? _broken, _diskFailure;
    private HalfBlock? _latest;
    private FraudProof? _fraud;
    private long _missing;
    private uint _recoveredTo;

    internal OwnChain(NodeEnvironment environment, KeyPair identity, IBlockStore store, TrustChainOptions options)
    {
        (_environment, _identity, _store, _options) = (environment, identity, store, options);
        _uncertain = options.OwnChainUncertain;
        Refresh();
        FlushedTo = Length;
    }

    /// <summary>The highest own number that is held.</summary>
    public uint Length => _latest?.Sequence ?? 0;

    /// <summary>The own key, 74 bytes.</summary>
    public ReadOnlySpan<byte> Key => _identity.Public.Bytes;

    /// <summary>Own blocks up to this number are safe on disk, and may be shown.</summary>
    public uint FlushedTo { get; private set; }

    /// <summary>Whether peers should be asked for our own chain before anything is signed.</summary>
    public bool NeedsRecovery => !_anyway && (_uncertain || _missing > 0 || Length < _options.OwnLengthAtLeast);

    private const string LastResort = "If nobody is left who has it: polder run --set signAnyway=true.";

    /// <summary>Why nothing is signed at present, and what helps; null normally.</summary>
    public string? Refused
    {
        get
        {
            if (_broken is not null) return _broken;
            if (_diskFailure is not null) return _diskFailure;
            if (_fraud is { } fraud)
                return $"Two different blocks with number {fraud.Second.Sequence} were signed with this node's key. "
                    + "Peers will not trust it any more. Was the key used in two places, or an old backup restored? Go on with a new identity.";
            if (_anyway) return null;
            var latest = Length;
            if (_missing > 0)
                return $"{_missing} blocks of this node's own chain (up to number {latest}) are missing here, but peers have shown newer ones. "
                    + "Signing now would fork the chain. It is being fetched from peers; stay connected. " + LastResort;
            if (latest < _options.OwnLengthAtLeast)
                return $"This node's own chain ends here at number {latest}, but it had {_options.OwnLengthAtLeast} blocks. "
                    + "Signing now would fork the chain. It is being fetched from peers; stay connected. " + LastResort;
            return _uncertain
                ? "The database was restored, set aside or lost its end: this node's own chain may be longer than what is here. "
                    + "Peers are being asked for it; nothing is signed before one has answered. " + LastResort
                : null;
        }
    }

    /// <summary>
    /// The owner's word that signing goes on although the end of the chain is in doubt: when no peer is left who could have it.
    /// If a peer does hold a later block, this forks the chain, and peers will not trust the key any more.
    /// </summary>
    public void SignAnyway() => _anyway = true;

    /// <summary>Signs the next block and puts it into the store. It may be shown after <see cref="FlushAsync"/> only.</summary>
    /// <exception cref="SigningRefusedException">See <see cref="Refused"/>.</exception>
    internal HalfBlock Sign(ReadOnlySpan<byte> linkKey, uint linkSequence, ReadOnlySpan<byte> type, ReadOnlySpan<byte> transaction)
    {
        if (Refused is { } why) throw new SigningRefusedException(why);
        if (transaction.Length > Limits.TransactionBytesMax)
            throw new ArgumentException($"A transaction may have {Limits.TransactionBytesMax} bytes, this one has {transaction.Length}.", nameof(transaction));
        var latest = _latest;
        var block = HalfBlock.Create(_environment.Signatures, _identity, new BlockFields
        {
            Sequence = checked((latest?.Sequence ?? 0) + 1),
            LinkKey = linkKey,
            LinkSequence = linkSequence,
            PreviousHash = latest?.Hash ?? HalfBlock.GenesisHash,
            Type = type,
            Transaction = transaction,
            Timestamp = (ulong)Math.Max(0, _environment.Time.GetUtcNow().ToUnixTimeMilliseconds()),
        });
        if (!_store.Add(block)) throw new InvalidOperationException("The place of a new own block is taken.");
        return _latest = block;
    }

    /// <summary>Completes with true when this own block is safe on disk; false when the disk failed; then nothing more is signed before <see cref="TryDiskAgainAsync"/>.</summary>
    internal async Task<bool> FlushAsync(HalfBlock block)
    {
        try
        {
            await _store.FlushAsync();
        }
        catch (IOException problem)
        {
            _diskFailure = $"Nothing is signed, because writing to disk failed. {problem.Message}";
            return false;
        }
        FlushedTo = Math.Max(FlushedTo, block.Sequence);
        return true;
    }

    /// <summary>Whether the disk failed and has not been tried with success since.</summary>
    internal bool DiskFailed => _diskFailure is not null;

    /// <summary>
    /// Asks the store once more. A store that keeps what it could not write, and has written it meanwhile, answers with success:
    /// then all own blocks that are held are safe, and signing goes on behind the last of them.
    /// </summary>
    internal async Task<bool> TryDiskAgainAsync()
    {
        var length = Length;
        try { await _store.FlushAsync(); }
        catch (IOException) { return false; }
        _diskFailure = null;
        FlushedTo = Math.Max(FlushedTo, length);
        return true;
    }

    /// <summary>Own blocks came back from peers and were kept: they may be shown, since others have them.</summary>
    internal void Recovered(HalfBlock block)
    {
        Refresh();
        // Where one block was forgotten, more may be: sign nothing before somebody was asked for the end of the chain.
        _uncertain = true;
        _witnesses.StartAgain();
        // The last came first, and what was missing below it came after.
        _recoveredTo = Math.Max(_recoveredTo, block.Sequence);
        if (_missing == 0) FlushedTo = Math.Max(FlushedTo, _recoveredTo);
    }

    /// <summary>Reads again what the store knows of the own chain: after blocks or proofs came from outside.</summary>
    internal void Refresh()
    {
        _latest = _store.Latest(Key);
        _missing = _store.MissingOf(Key);
        _fraud = _store.FraudOf(Key);
    }

    /// <summary>
    /// A peer answered what it has of our chain, and all of that is here. One peer may have been away when the last blocks were
    /// signed, and would make us fork without knowing it: so several must agree (<see cref="RecoveryWitnesses"/>).
    /// </summary>
    internal void Confirmed(PublicKey peer, bool showedChain, int peersKnown, TimeSpan now)
    {
        if (_uncertain && _witnesses.Heard(peer, showedChain, peersKnown, now)) _uncertain = false;
    }

    /// <summary>Peers hold a block of ours that does not fit to what is here.</summary>
    internal void Conflicts(HalfBlock block) =>
        _broken ??= $"Peers hold a block number {block.Sequence} of this node's key that does not fit to the chain here. "
            + "Was the key used in two places, or an old backup restored? Restore the newest data folder, or go on with a new identity.";
}
