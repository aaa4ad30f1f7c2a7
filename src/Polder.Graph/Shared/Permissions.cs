using Polder.Graph.Model;
using Polder.Graph.Sea;
using Polder.Graph.Sync;

namespace Polder.Graph.Shared;

/// <summary>
/// Who may write a shared object, by its owner's word: signed statements in the owner's graph, "~owner/may/NAME". Readers who go by them
/// leave out the copies of everybody else; those copies stay where they are, since they are others' property.
/// </summary>
/// <param name="graph">The graph.</param>
/// <param name="owner">Whose object it is.</param>
/// <param name="name">Its name.</param>
public sealed class Permissions(SharedGraph graph, string owner, string name)
{
    /// <summary>The owner and those who may write.</summary>
    public IEnumerable<string> Writers() => [owner, .. graph[Soul].GetAll().Where(static may => may.Value.AsText == "write").Select(static may => may.Key)];

    /// <summary>Lets somebody write; said by the owner.</summary>
    public Task AllowAsync(SeaPair owned, string who) => SayAsync(owned, who, "write");

    /// <summary>Lets somebody write no more: his copy does not count any longer, also what he wrote before.</summary>
    public Task RevokeAsync(SeaPair owned, string who) => SayAsync(owned, who, GraphValue.Null);

    private string Soul => $"~{owner}/may/{name}";

    private Task SayAsync(SeaPair owned, string who, GraphValue what)
    {
        ArgumentNullException.ThrowIfNull(owned);
        if (owned.Pub != owner) throw new ArgumentException("Only the owner says who may write.", nameof(owned));
        return graph.As(owned)["may"][name].PutAsync(who, what);
    }
}
