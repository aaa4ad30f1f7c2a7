namespace Polder.Apps.Chat.PeerChat;

/// <summary>
/// One transfer that comes by EVA. Time is an argument; what is to be sent comes out. Everything is checked against what was announced: the
/// reference takes any block number and throws.
/// </summary>
internal sealed class EvaReceiver
{
    private readonly EvaWriteRequest _request;
    private readonly byte[] _bytes;
    private readonly bool[] _have;
    private int _count, _attempts;
    private uint _window;
    private TimeSpan _last, _progress;

    public EvaReceiver(EvaWriteRequest request, TimeSpan now)
    {
        if (!request.IsSensible) throw new ArgumentException("Check the request first.", nameof(request));
        (_request, _bytes, _have) = (request, new byte[request.Size], new bool[request.Blocks]);
        (_last, _progress) = (now, now);
    }

    public ulong Nonce => _request.Nonce;
    public bool IsDone => _count == _have.Length;
    public byte[] Bytes => _bytes;

    /// <summary>What is said now: the window that is wanted, and what is missing below it.</summary>
    public EvaAcknowledgement Acknowledgement => new(_request.Nonce, _window, Missing());

    /// <summary>Takes a block; gives an acknowledgement where one is due.</summary>
    public EvaAcknowledgement? Take(EvaData data, TimeSpan now)
    {
        if (data.Nonce != _request.Nonce || data.Block >= _request.Blocks || IsDone) return null;
        var from = (long)data.Block * _request.BlockBytes;
        var length = (int)Math.Min(_request.BlockBytes, _bytes.Length - from);
        if (data.Bytes.Length != length) return null;
        if (!_have[data.Block])
        {
            _have[data.Block] = true;
            _count++;
            data.Bytes.CopyTo(_bytes, from);
            (_progress, _attempts) = (now, 0);
        }
        _last = now;
        var endOfWindow = ((long)_window + 1) * _request.Window - 1;
        if (!IsDone && data.Block != endOfWindow && data.Block != _request.Blocks - 1) return null;
        _window++;
        return Acknowledgement;
    }

    /// <summary>Silence: the last acknowledgement again, a few times; false when it is over.</summary>
    public bool Tick(TimeSpan now, out EvaAcknowledgement? again)
    {
        again = null;
        if (now - _progress > EvaLimits.TimeOut) return false;
        if (now - _last < EvaLimits.Retransmit) return true;
        if (++_attempts > EvaLimits.Attempts * 3) return false;
        _last = now;
        again = Acknowledgement;
        return true;
    }

    private List<uint> Missing()
    {
        var missing = new List<uint>();
        var below = Math.Min((long)_window * _request.Window, _have.Length);
        for (var i = 0; i < below && missing.Count < EvaLimits.MissingMax; i++)
            if (!_have[i]) missing.Add((uint)i);
        return missing;
    }
}

/// <summary>One transfer that goes out by EVA. Time is an argument; what is to be sent comes out.</summary>
internal sealed class EvaSender
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly EvaWriteRequest _request;
    private TimeSpan _last, _progress;
    private int _attempts;
    private bool _answered;

    public EvaSender(string info, string name, ReadOnlyMemory<byte> bytes, ulong nonce, TimeSpan now)
    {
        var blocks = (uint)((bytes.Length + EvaLimits.BlockBytes - 1) / EvaLimits.BlockBytes);
        _request = new EvaWriteRequest(info, name, nonce, (ulong)bytes.Length, blocks, EvaLimits.BlockBytes, EvaLimits.Window);
        (_bytes, _last, _progress) = (bytes, now, now);
    }

    public EvaWriteRequest Request => _request;
    public bool IsDone { get; private set; }

    /// <summary>The blocks that an acknowledgement asks for; none: it is all there.</summary>
    public IEnumerable<EvaData> Take(EvaAcknowledgement acknowledgement, TimeSpan now)
    {
        if (acknowledgement.Nonce != _request.Nonce || IsDone) return [];
        (_answered, _last, _progress) = (true, now, now);
        var from = (long)acknowledgement.Window * EvaLimits.Window;
        var wanted = new SortedSet<uint>(acknowledgement.Missing.Where(block => block < _request.Blocks));
        for (var i = from; i < Math.Min(from + EvaLimits.Window, _request.Blocks); i++) wanted.Add((uint)i);
        if (wanted.Count == 0) IsDone = true;
        return [.. wanted.Select(block => new EvaData(block, _request.Nonce,
            _bytes.Slice((int)block * EvaLimits.BlockBytes, Math.Min(EvaLimits.BlockBytes, _bytes.Length - (int)block * EvaLimits.BlockBytes)).ToArray()))];
    }

    /// <summary>Silence: the request again, a few times, while nobody answered; false when it is over.</summary>
    public bool Tick(TimeSpan now, out EvaWriteRequest? again)
    {
        again = null;
        if (IsDone || now - _progress > EvaLimits.TimeOut) return false;
        if (_answered || now - _last < EvaLimits.Retransmit) return true;
        if (++_attempts > EvaLimits.Attempts) return false;
        _last = now;
        again = _request;
        return true;
    }
}
