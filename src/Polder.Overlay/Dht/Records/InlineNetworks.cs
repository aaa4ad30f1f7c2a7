using Polder.Net;

namespace Polder.Overlay.Dht.Records;

/// <summary>How many contacts of each network were taken from one answer, on the stack.</summary>
internal struct InlineNetworks
{
    private Eight _networks;
    private int _count;

    [System.Runtime.CompilerServices.InlineArray(8)]
    private struct Eight
    {
        private Endpoint _first;
    }

    public bool TryTake(Endpoint network, int max)
    {
        var same = 0;
        for (var i = 0; i < _count; i++)
            if (_networks[i] == network) same++;
        if (same >= max) return false;
        if (_count < 8) _networks[_count++] = network;
        return true;
    }
}
