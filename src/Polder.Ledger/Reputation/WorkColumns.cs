namespace Polder.Ledger.Reputation;

/// <summary>Makes all columns of a graph from its rows: the same work, by who did it.</summary>
internal static class WorkColumns
{
    public static void Make(WorkGraph graph, WorkSplit split)
    {
        var (peers, parts) = (graph.Count, split.Parts);
        var counts = new int[parts][];
        split.Run(parts, part =>
        {
            var own = counts[part] = new int[peers];
            var (from, to) = WorkGraphLoader.Share(part, parts, peers);
            for (var consumer = from; consumer < to; consumer++)
            {
                unchecked
                {
                    foreach (var contributor in graph.WorkOf(consumer).Contributors) own[contributor]++;
                }
            }
        });
        var total = 0L;
        for (var contributor = 0; contributor < peers; contributor++)
        {
            for (var part = 1; part < parts; part++) counts[0][contributor] += counts[part][contributor];
            total += counts[0][contributor];
        }
        // Each part fills the columns of a range of contributors with about the same number of pairs.
        var bounds = new int[parts + 1];
        var (sum, next) = (0L, 1);
        for (var contributor = 0; contributor < peers && next < parts; contributor++)
        {
            sum += counts[0][contributor];
            while (next < parts && sum >= total * next / parts) bounds[next++] = contributor + 1;
        }
        for (; next <= parts; next++) bounds[next] = peers;
        split.Run(parts, part => Fill(graph, counts[0], bounds[part], bounds[part + 1]));
    }

    private static void Fill(WorkGraph graph, int[] counts, int first, int end)
    {
        if (first >= end) return;
        var consumers = new int[end - first][];
        var given = new long[end - first][];
        var filled = new int[end - first];
        for (var c = first; c < end; c++)
        {
            consumers[c - first] = GC.AllocateUninitializedArray<int>(counts[c]);
            given[c - first] = GC.AllocateUninitializedArray<long>(counts[c]);
        }
        for (var consumer = 0; consumer < graph.Count; consumer++)
        {
            var work = graph.WorkOf(consumer);
            var row = work.Contributors;
            var until = work.Until;
            var place = row.BinarySearch(first);
            unchecked
            {
                for (place = place < 0 ? ~place : place; place < row.Length && row[place] < end; place++)
                {
                    var column = row[place] - first;
                    var at = filled[column]++;
                    (consumers[column][at], given[column][at]) = (consumer, until[place] - (place == 0 ? 0 : until[place - 1]));
                }
            }
        }
        for (var c = first; c < end; c++) graph.WorkOf(c).SetColumn(consumers[c - first], given[c - first]);
    }
}
