using System.Globalization;
using System.Text;

namespace Polder.Node.Folders;

/// <summary>
/// A mark beside the database: so long was the own chain once. A database that was put back from last week has less, and
/// then nothing is signed until peers have shown the rest.
/// </summary>
internal sealed class ChainMark(string path)
{
    private uint _marked;

    /// <summary>The mark; 0 without one.</summary>
    public uint Read()
    {
        try
        {
            return _marked = uint.TryParse(File.ReadAllText(path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : 0;
        }
        catch (IOException) { return 0; }
        catch (UnauthorizedAccessException) { return 0; }
    }

    /// <summary>The owner said that the chain ends here.</summary>
    public void Lower(uint length)
    {
        if (_marked <= length) return;
        _marked = 0;
        File.Delete(path);
        Raise(length);
    }

    /// <summary>Raises the mark; blocks up to <paramref name="length"/> are safe in the database.</summary>
    public void Raise(uint length)
    {
        if (length <= _marked) return;
        try
        {
            DurableFile.Write(path, Encoding.ASCII.GetBytes(length.ToString(CultureInfo.InvariantCulture) + "\n"));
            _marked = length;
        }
        // A second opinion, no more: the database alone is the truth.
        catch (IOException) { }
        catch (UnauthorizedAccessException) { }
    }
}
