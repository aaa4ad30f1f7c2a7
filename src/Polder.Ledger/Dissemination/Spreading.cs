using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Fraud;
using Polder.Ledger.Messages;
using Polder.Ledger.Stores;
using Polder.Overlay;
using Polder.Runtime;

namespace Polder.Ledger.Dissemination;

/// <summary>
/// Spreads new blocks and proofs of fraud among full nodes, in sessions. New blocks are pushed a few hops far at once; and each
/// node asks a random peer now and then what is new there, so that what a push missed, and who was away, is reached too. Both
/// cost bounded bytes, and one peer cannot use up what the others need.
/// </summary>
internal sealed class Spreading
{
    /// <summary>What a message costs beyond its fields: session, UDP and IP headers.</summary>
    private const int OverheadBytes = 70;
    private const double BurstSeconds = 8, ProofBurstSeconds = 16;
    private const int InflowFactor = 4, AcquaintanceBlocks = 3;
    private const double StrangersKeepFree = 0.5, AnswersKeepFree = 0.25;

    /// <summary>
    /// Proofs of one peer that are looked at. Far fewer than can be asked for, so that whoever makes up frauds by the hundred is not told
    /// on faster than everybody can learn of the one that matters.
    /// </summary>
    private const double ProofsPerSecond = 0.2, ProofsBurst = 16;

    private readonly TrustChainCommunity _ledger;
    private readonly BlockIntake _intake;
    private readonly DisseminationOptions _options;
    private readonly NewsLog _news;
    private readonly SpreadBudget _budget, _ownBudget, _proofBudget, _strangersProofBudget;
    private readonly RelayMemory _seen = new(Limits.NewsSeenMax), _proofsRefused = new(Limits.FraudsMax);
    private readonly Dictionary<PublicKey, PeerNews> _peers = new(PublicKey.Comparer);
    private readonly RelayMemory _asked = new(Limits.NewsAskedMax), _pushed = new(Limits.NewsBlocksMax);
    private TokenBucket _inflow;

    public Spreading(TrustChainCommunity ledger, BlockIntake intake)
    {
        (_ledger, _intake, _options) = (ledger, intake, ledger.Options.Dissemination);
        // 0 is "no life yet".
        _news = new NewsLog((uint)(ledger.Environment.Random.NextUInt64() >> 32) | 1);
        _budget = new SpreadBudget(_options.BytesPerSecond / 2.0, BurstSeconds);
        _ownBudget = new SpreadBudget(_options.BytesPerSecond / 8.0, 4 * BurstSeconds);
        _proofBudget = new SpreadBudget(_options.BytesPerSecond / 4.0, ProofBurstSeconds);
        _strangersProofBudget = new SpreadBudget(_options.BytesPerSecond / 8.0, 2 * ProofBurstSeconds);
        foreach (var proof in ledger.Store.Frauds()) _news.AddCulprit(proof.Culprit);
    }

    /// <summary>Whether a peer takes part: a full node, with which messages of ours travel in a session, and no proven cheater.</summary>
    public bool Serves(Peer peer) => (_options.Pushes || _options.Pulls) && peer.IsPolder && !_ledger.Book.IsDiscouraged(peer.Key);

    /// <summary>Forgets a peer.</summary>
    public void Forget(Peer peer) => _peers.Remove(peer.Key);

    // ---- What we begin ----

    /// <summary>Blocks of our own, or a pair that is about us, become known to others.</summary>
    public void Own(ReadOnlySpan<HalfBlock> blocks)
    {
        var fresh = new List<HalfBlock>(blocks.Length);
        foreach (var block in blocks)
        {
            _seen.Add(block.Hash.Head);
            _news.Add(block);
            // The proposal went out before its agreement came.
            if (_pushed.Add(block.Hash.Head)) fresh.Add(block);
        }
        if (_options.Pushes && fresh.Count > 0) Push([.. fresh], _options.Hops - 1, null, _ownBudget);
    }

    /// <summary>A block came on another way than ours, such as from a plain peer: it is news for whoever asks.</summary>
    public void Heard(HalfBlock block)
    {
        if (_seen.Add(block.Hash.Head)) _news.Add(block);
    }

    /// <summary>A fraud was proven here.</summary>
    public void Proven(FraudProof proof)
    {
        _news.AddCulprit(proof.Culprit);
        if (_options.Pushes) PushProof(proof);
    }

    /// <summary>Keeps a proof that was checked, with its proposal, or nobody could be shown it.</summary>
    public void Take(FraudProof proof)
    {
        if (proof.Proposal is { } proposal) _intake.Take(proposal, wanted: true, out _);
        _intake.Keep(proof);
        if (proof.Culprit.SequenceEqual(_ledger.Own.Key)) _ledger.Own.Refresh();
    }

    /// <summary>Asks one random full node what is new there.</summary>
    public void Pull()
    {
        if (!_options.Pulls || Pick() is not { } peer) return;
        var known = Of(peer);
        known.IsAsked = true;
        var request = new NewsRequest(known.Life, known.Blocks, known.Proofs);
        if (!_budget.TryTake(_ledger.Now, 16 + OverheadBytes)) return;
        Count(16);
        _ledger.Counters.Count(LedgerCount.NewsAsked);
        _ledger.SendSigned(peer, request);
    }

    // ---- What comes in ----

    public void Receive(Peer peer, BlockPush push)
    {
        var known = Of(peer);
        List<HalfBlock>? fresh = null;
        foreach (var block in push.Blocks)
        {
            var head = block.Hash.Head;
            if (_seen.Contains(head)) continue;
            var wanted = push.Hops == 0 && _asked.Remove(head);
            var bytes = block.Packed.Length;
            if (!wanted && (!known.Pushed.TryTake(_ledger.Now, _options.BytesPerSecond / 4.0, 2.0 * _options.BytesPerSecond, bytes)
                || !_inflow.TryTake(_ledger.Now, InflowFactor * _options.BytesPerSecond, InflowFactor * BurstSeconds * _options.BytesPerSecond, bytes)))
            {
                _ledger.Counters.Count(LedgerCount.NewsTooFast);
                continue;
            }
            // An honest node passes on only what it checked itself.
            if (!block.VerifySignature(_ledger.Environment.Signatures))
            {
                _ledger.Counters.Count(LedgerCount.NewsForged);
                _ledger.Book.Discourage(peer, Violation.BrokeRules);
                return;
            }
            _seen.Add(head);
            if (!_ledger.TakeNews(peer, block)) continue;
            _ledger.Counters.Count(wanted ? LedgerCount.NewsPulled : LedgerCount.NewsPushed);
            _news.Add(block);
            (fresh ??= []).Add(block);
        }
        if (fresh is not null && push.Hops > 0 && _options.Pushes) Push([.. fresh], Math.Min(push.Hops, _options.Hops) - 1, peer, _budget);
    }

    public void Receive(Peer peer, FraudPush push)
    {
        var proof = push.Proof;
        if (_ledger.Store.FraudOf(proof.Culprit) is not null) return;
        if (!_asked.Remove(NewsLog.HeadOf(proof.Culprit)) && !Of(peer).ProofsSent.TryTake(_ledger.Now, ProofsPerSecond, ProofsBurst))
        {
            _ledger.Counters.Count(LedgerCount.NewsTooFast);
            return;
        }
        if (FraudRules.FaultOf(proof, _ledger.Environment.Signatures) != FraudFault.None)
        {
            // What proves nothing is sent by nobody honest: each checks it first.
            _ledger.Counters.Count(LedgerCount.ProofsForged);
            _ledger.Book.Discourage(peer, Violation.BrokeRules);
            return;
        }
        Take(proof);
        if (_ledger.Store.FraudOf(proof.Culprit) is null) _proofsRefused.Add(NewsLog.HeadOf(proof.Culprit));
    }

    public void Receive(Peer peer, NewsRequest request)
    {
        if (!Serves(peer) || !Of(peer).Questions.TryTake(_ledger.Now, 2, 8)) return;
        var list = _news.Since(request);
        var bytes = 18 + 8 * (list.Blocks.Length + list.Proofs.Length);
        if (!_budget.TryTake(_ledger.Now, bytes + OverheadBytes)) return;
        Count(bytes);
        _ledger.SendSigned(peer, list);
    }

    public void Receive(Peer peer, NewsList list)
    {
        var known = Of(peer);
        if (!known.IsAsked) return;
        known.IsAsked = false;
        var blocks = list.Blocks.Where(head => !_seen.Contains(head)).ToArray();
        var proofs = list.Proofs.Where(head => _news.FindCulprit(head) is null && !_proofsRefused.Contains(head)).ToArray();
        // Where something is still to be had, the same question is asked again the next time.
        if (known.Life != list.Life) (known.Life, known.Blocks, known.Proofs) = (list.Life, 0, 0);
        if (blocks.Length == 0) known.Blocks = list.BlocksTo;
        if (proofs.Length == 0) known.Proofs = list.ProofsTo;
        if (blocks.Length + proofs.Length == 0) return;
        _ledger.Environment.Random.Shuffle<ulong>(blocks);
        if (blocks.Length > NewsWanted.BlocksMax) blocks = blocks[..NewsWanted.BlocksMax];
        if (proofs.Length > NewsWanted.ProofsMax) proofs = proofs[..NewsWanted.ProofsMax];
        foreach (var head in blocks) _asked.Add(head);
        foreach (var head in proofs) _asked.Add(head);
        var bytes = 2 + 8 * (blocks.Length + proofs.Length);
        if (!_budget.TryTake(_ledger.Now, bytes + OverheadBytes)) return;
        Count(bytes);
        TrustChainCommunity.ExpectFrom(peer, blocks.Length + proofs.Length);
        _ledger.SendSigned(peer, new NewsWanted(blocks, proofs));
    }

    public void Receive(Peer peer, NewsWanted wanted)
    {
        if (!Serves(peer) || !Of(peer).Questions.TryTake(_ledger.Now, 2, 8)) return;
        foreach (var head in wanted.Proofs)
            if (_news.FindCulprit(head) is { } culprit && _ledger.Store.ProofAgainst(culprit) is { } proof) SendProof(peer, proof, _proofBudget);
        foreach (var head in wanted.Blocks)
            if (_news.Find(head) is { } block && _budget.TryTake(_ledger.Now, block.Packed.Length + OverheadBytes, AnswersKeepFree))
            {
                Count(block.Packed.Length + 2);
                _ledger.SendSigned(peer, new BlockPush(0, [block]));
            }
    }

    // ---- What goes out ----

    private void Push(HalfBlock[] blocks, int hopsLeft, Peer? except, SpreadBudget budget)
    {
        // The deeper the hop, the fuller the bucket must be; and what nobody signed who is known here must leave more of it for others.
        var keepFree = 0.9 * (_options.Hops - 1 - hopsLeft) / _options.Hops;
        if (budget == _budget && !blocks.Any(IsByAcquaintance)) keepFree = Math.Max(keepFree, StrangersKeepFree);
        foreach (var part in blocks.Chunk(BlockPush.BlocksMax))
        {
            var bytes = 2 + part.Sum(block => block.Packed.Length);
            foreach (var peer in Some(_options.FanOut, except))
            {
                // Nobody is told of what he made himself.
                if (part.Length == 1 && peer.Key.Bytes.SequenceEqual(part[0].PublicKey)) continue;
                if (!budget.TryTake(_ledger.Now, bytes + OverheadBytes, keepFree))
                {
                    _ledger.Counters.Count(LedgerCount.PushesSaved);
                    return;
                }
                Count(bytes);
                _ledger.SendSigned(peer, new BlockPush((byte)hopsLeft, part));
            }
        }
    }

    /// <summary>Whether a peer of ours signed it, or somebody of whom more is held than keys made up for a flood have.</summary>
    private bool IsByAcquaintance(HalfBlock block) => _ledger.Book.Find(block.PublicKey) is not null || _ledger.Store.CountOf(block.PublicKey) > AcquaintanceBlocks;

    private void PushProof(FraudProof proof)
    {
        // A flood of frauds by keys made for it must not keep the one that matters from being heard.
        var budget = _ledger.Book.Find(proof.Culprit) is not null || _ledger.Store.CountOf(proof.Culprit) > 0 ? _proofBudget : _strangersProofBudget;
        foreach (var peer in Some(_options.ProofFanOut, null))
            if (!SendProof(peer, proof, budget)) return;
    }

    private bool SendProof(Peer peer, FraudProof proof, SpreadBudget budget)
    {
        var bytes = 2 + proof.First.Packed.Length + proof.Second.Packed.Length + (proof.Proposal?.Packed.Length ?? 0);
        if (!budget.TryTake(_ledger.Now, bytes + OverheadBytes)) return false;
        Count(bytes);
        _ledger.Counters.Count(LedgerCount.ProofsSent);
        _ledger.SendSigned(peer, new FraudPush(proof));
        return true;
    }

    private void Count(int bytes) => _ledger.Counters.Count(LedgerCount.SpreadBytes, bytes + OverheadBytes);

    private Peer? Pick()
    {
        foreach (var peer in Some(1, null)) return peer;
        return null;
    }

    /// <summary>So many random full nodes, each equally likely.</summary>
    private IEnumerable<Peer> Some(int count, Peer? except)
    {
        var all = _ledger.Peers;
        if (all.Count == 0) yield break;
        var chosen = new List<Peer>(all.Count);
        foreach (var peer in all)
            if (Serves(peer) && (except is null || peer.Key != except.Key)) chosen.Add(peer);
        for (var i = 0; i < chosen.Count && i < count; i++)
        {
            var j = _ledger.Environment.Random.Next(i, chosen.Count - 1);
            (chosen[i], chosen[j]) = (chosen[j], chosen[i]);
            yield return chosen[i];
        }
    }

    private PeerNews Of(Peer peer)
    {
        if (_peers.TryGetValue(peer.Key, out var known)) return known;
        // Peers that are forgotten are removed; this bound is for those who only write to us.
        if (_peers.Count >= Limits.CrawledPeersMax) _peers.Clear();
        return _peers[peer.Key] = new PeerNews();
    }
}
