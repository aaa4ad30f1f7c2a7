using System.Security.Cryptography;

namespace Polder.Host.Pages;

/// <summary>
/// Sentences for the page after a redirect. The address carries only a random name, so no link from elsewhere can make a
/// page say something; each is shown once.
/// </summary>
internal sealed class Notices
{
    /// <summary>Notices that nobody fetched; the oldest are dropped.</summary>
    public const int WaitingMax = 32;

    private readonly Lock _gate = new();
    private readonly List<(string Name, Notice Notice)> _waiting = [];

    /// <summary>Keeps a notice and gives the name to put into the address.</summary>
    public string Keep(Notice notice)
    {
        var name = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        lock (_gate)
        {
            if (_waiting.Count == WaitingMax) _waiting.RemoveAt(0);
            _waiting.Add((name, notice));
        }
        return name;
    }

    /// <summary>Gives it out, once.</summary>
    public Notice? Take(string? name)
    {
        if (string.IsNullOrEmpty(name)) return null;
        lock (_gate)
        {
            var index = _waiting.FindIndex(kept => kept.Name == name);
            if (index < 0) return null;
            var notice = _waiting[index].Notice;
            _waiting.RemoveAt(index);
            return notice;
        }
    }
}
