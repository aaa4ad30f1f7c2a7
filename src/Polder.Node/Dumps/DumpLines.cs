namespace Polder.Node.Dumps;

/// <summary>Lines of a stream as bytes, one in memory at a time; a line without end is refused, not gathered.</summary>
internal sealed class DumpLines(Stream stream)
{
    private const int LargeBytes = 1 << 18;

    private byte[] _buffer = new byte[2048];
    private int _start, _end;
    private bool _ended;

    /// <summary>The number of the line read last, from 1.</summary>
    public long Number { get; private set; }

    /// <summary>Bytes read so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>The next line without its end; false after the last. Valid until the next call.</summary>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        line = default;
        for (var searched = 0; ;)
        {
            var held = _buffer.AsSpan(_start, _end - _start);
            var at = held[searched..].IndexOf((byte)'\n');
            if (at >= 0 || (_ended && held.Length > 0))
            {
                var length = at >= 0 ? searched + at : held.Length;
                line = held[..length];
                if (line is [.., (byte)'\r']) line = line[..^1];
                _start += Math.Min(held.Length, length + 1);
                Number++;
                if (Number == 1 && line.StartsWith("\uFEFF"u8)) line = line[3..];
                return true;
            }
            if (_ended) return false;
            searched = held.Length;
            if (searched > DumpColumns.LineBytesMax)
                throw new DumpException(Number + 1, $"it is longer than {DumpColumns.LineBytesMax / 1024} KB: no line of a ledger is. Is this a text file?");
            Fill();
        }
    }

    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        // Small for what is small; what goes on is read in large pieces.
        if (_buffer.Length < LargeBytes && Bytes >= 2048) Array.Resize(ref _buffer, LargeBytes);
        if (_end == _buffer.Length) Array.Resize(ref _buffer, 2 * _buffer.Length);
        var read = stream.Read(_buffer, _end, _buffer.Length - _end);
        _ended = read == 0;
        _end += read;
        Bytes += read;
    }
}
