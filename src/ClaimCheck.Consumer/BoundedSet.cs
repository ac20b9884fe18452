namespace ClaimCheck.Consumer;

/// <summary>Remembers the newest so many values. Not thread-safe.</summary>
internal sealed class BoundedSet<T>(int capacity)
    where T : notnull
{
    private readonly HashSet<T> values = [];
    private readonly Queue<T> order = new();

    public bool Contains(T value) => values.Contains(value);

    public bool Add(T value)
    {
        if (!values.Add(value))
            return false;
        order.Enqueue(value);
        if (order.Count > capacity)
            values.Remove(order.Dequeue());
        return true;
    }
}
