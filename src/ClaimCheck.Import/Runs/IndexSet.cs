using System.Globalization;

namespace ClaimCheck.Import.Runs;

/// <summary>Indexes in a batch, ascending, as text: <c>0-99,120,130-131</c>.</summary>
internal static class IndexSet
{
    public static string Format(IReadOnlyList<int> indexes)
    {
        var text = new StringBuilder();
        for (var i = 0; i < indexes.Count;)
        {
            var last = i;
            while (last + 1 < indexes.Count && indexes[last + 1] == indexes[last] + 1)
                last++;
            text.Append(text.Length > 0 ? "," : "").Append(indexes[i]);
            if (last > i)
                text.Append('-').Append(indexes[last]);
            i = last + 1;
        }
        return text.ToString();
    }

    public static int[] Parse(string text) => text.Length == 0
        ? []
        : [.. text.Split(',').SelectMany(run =>
        {
            var ends = run.Split('-');
            var first = int.Parse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture);
            return Enumerable.Range(first, int.Parse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture) - first + 1);
        })];
}
