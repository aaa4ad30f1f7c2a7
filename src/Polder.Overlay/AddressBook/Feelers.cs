using Polder.Net;

namespace Polder.Overlay.AddressBook;

/// <summary>
/// Contacts one address that we only heard of (OV-7.4): it is tried from then on, or forgotten. First those whose place in the book a newcomer
/// claims.
/// </summary>
internal sealed class Feelers(NodeHost host)
{
    private Endpoint? _feeler;
    private bool _isContest;

    /// <summary>Knocks at one address, after the verdict about the last. Whether there was one.</summary>
    public bool Feel(AddressTable book)
    {
        End(book);
        var now = host.Now;
        _isContest = book.Contested is not null;
        var pick = book.Contested ?? book.Pick(tried: false, host.Environment.Random, entry => host.Contact.IsDue(entry.Address, now));
        if (_isContest && pick is { } incumbent && host.Peers.FindAt(incumbent) is { IsValidated: true })
        {
            book.Settle(incumbentIsAlive: true, host.UnixSeconds);
            _isContest = false;
            return true;
        }
        if (pick is not { } address || host.Communities.Count == 0 || !host.MayWalkNow())
        {
            _isContest = false;
            return false;
        }
        _feeler = address;
        book.Attempted(address, host.UnixSeconds);
        host.Contact.NoteFeeler(address);
        host.Communities[0].Introductions.WalkTo(address, alive: true);
        return true;
    }

    /// <summary>Somebody answered there.</summary>
    public void Answered(Endpoint address)
    {
        if (_feeler == address) _feeler = null;
    }

    /// <summary>The feeler of last time: no answer by now means no. Whoever hears from nobody learns nothing about an address.</summary>
    private void End(AddressTable book)
    {
        var silent = _feeler;
        var alone = true;
        foreach (var peer in host.Peers.All) alone &= !peer.IsValidated;
        if (silent is null || !alone)
        {
            if (_isContest) book.Settle(incumbentIsAlive: silent is null, host.UnixSeconds);
            else if (silent is { } address) book.Failed(address, drop: true);
        }
        (_feeler, _isContest) = (null, false);
    }
}
