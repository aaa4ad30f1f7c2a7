using Polder.Ledger.Blocks;
using Polder.Overlay;

namespace Polder.Ledger;

/// <summary>
/// Brings own proposals to their counterparties: for the first time when they are safe on disk, again and again while they are
/// unanswered, and once more after a disk that failed.
/// </summary>
internal sealed class ProposalSending(TrustChainCommunity ledger, Proposals proposals, Broadcasts broadcasts)
{
    private const int ResendsPerTickMax = 200;

    /// <summary>Sends a proposal just signed, as soon as it is on disk.</summary>
    public async Task FirstAsync(Proposal proposal)
    {
        var safe = await ledger.Own.FlushAsync(proposal.Block);
        if (safe)
        {
            proposal.IsFlushed = true;
            if (ledger.Book.Find(proposal.Block.LinkKey) is { } peer) Send(proposal, peer);
            broadcasts.Proposal(proposal.Block);
        }
        else
        {
            ledger.NotifyChanged();
        }
        proposal.Flushed(safe);
    }

    /// <summary>A peer was met: what waits for it goes out.</summary>
    public void Met(Peer peer)
    {
        foreach (var proposal in proposals.Open)
            if (proposal is { IsFlushed: true, Sendings: 0 } && proposal.Block.LinkKey.SequenceEqual(peer.Key.Bytes)) Send(proposal, peer);
    }

    /// <summary>The agreement is acknowledged to whoever waits only when it is safe here too.</summary>
    public async Task CompleteAsync(Proposal proposal, HalfBlock agreement)
    {
        try { await ledger.Store.FlushAsync(); }
        catch (IOException) { return; }
        ledger.Counters.Count(LedgerCount.ProposalsAnswered);
        // Whoever was shown another agreement to it finds the fraud by this.
        broadcasts.Pair(proposal.Block, agreement, exceptTo: agreement.PublicKey);
        proposal.Answered(agreement);
    }

    /// <summary>Once a second: what is due goes out again, what was sent often enough is given up.</summary>
    public void Resend()
    {
        if (ledger.Own.DiskFailed) ledger.Go(TryDiskAgainAsync());
        var sent = 0;
        List<Proposal>? failed = null;
        foreach (var proposal in proposals.Open)
        {
            if (sent >= ResendsPerTickMax) break;
            if (!proposal.IsFlushed || ledger.Now < proposal.SendAt || ledger.Book.Find(proposal.Block.LinkKey) is not { } peer) continue;
            if (proposal.Sendings >= ledger.Options.ResendsMax)
            {
                (failed ??= []).Add(proposal);
                continue;
            }
            if (proposal.Sendings > 0) ledger.Counters.Count(LedgerCount.ProposalsResent);
            Send(proposal, peer);
            sent++;
        }
        foreach (var proposal in failed ?? [])
        {
            proposals.Remove(proposal);
            proposal.GiveUp();
        }
    }

    private void Send(Proposal proposal, Peer to)
    {
        TrustChainCommunity.ExpectFrom(to, 1);
        proposal.Sendings++;
        proposal.SendAt = ledger.Now + ledger.Options.ResendInterval;
        ledger.SendBlock(to.Address, proposal.Block);
    }

    /// <summary>What was signed and could not be flushed is sent once it is on disk after all.</summary>
    private async Task TryDiskAgainAsync()
    {
        if (!await ledger.Own.TryDiskAgainAsync()) return;
        foreach (var proposal in proposals.Open)
            if (proposal.Block.Sequence <= ledger.Own.FlushedTo) proposal.IsFlushed = true;
        ledger.NotifyChanged();
    }
}
