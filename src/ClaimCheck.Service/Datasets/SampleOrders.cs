namespace ClaimCheck.Service.Datasets;

/// <summary>How the server itself generates the sample's orders: spread evenly over two years; one note in fifty contains what
/// breaks careless readers of CSV.</summary>
internal static class SampleOrders
{
    /// <summary>The table's comment. With another number of orders, or another recipe of a later version, the table is created
    /// again.</summary>
    public static string Recipe(long orders) => $"ClaimCheck's sample, recipe 1, {orders} orders";

    /// <summary>Must run in one transaction.</summary>
    public static string Script(long orders) =>
        $$"""
        DROP TABLE IF EXISTS public.orders;
        CREATE TABLE public.orders (
            id         bigint         NOT NULL,
            customer   text           NOT NULL,
            status     text           NOT NULL,
            amount     numeric(12, 2) NOT NULL,
            currency   char(3)        NOT NULL,
            note       text           NULL,
            created_at timestamptz    NOT NULL
        );
        -- Written in the order of id: an export reads the table from front to back.
        INSERT INTO public.orders (id, customer, status, amount, currency, note, created_at)
        SELECT n,
               'customer ' || (n * 104729 % 250000),
               (ARRAY['new', 'paid', 'shipped', 'cancelled', 'returned'])[1 + (n * 31 % 5)],
               (n * 7919 % 9999991)::numeric / 100,
               (ARRAY['EUR', 'USD', 'GBP', 'JPY'])[1 + (n * 13 % 4)],
               CASE
                 WHEN n % 50 = 0 THEN
                   (ARRAY[
                     '', ' ', '  blanks around  ', 'NULL', 'say "hello"', '"', 'it''s', 'one, two; three', ',', '=1+1',
                     E'two\nlines', E'two\r\nlines', E'\n', E'a\ttab', E'C:\\orders\\new', E'\\.', E'\\N', E'before\n\\.\nafter',
                     'Grüße aus Köln', '日本語の注文', '🎁 for 👩‍👩‍👧', E'e\u0301 is not \u00e9', E'no\u00a0break', E'\u200b'
                   ])[1 + (n / 50 % 24)]
                 WHEN n % 10 = 1 THEN NULL
                 ELSE (ARRAY['leave at the door', 'ring twice, please', 'wrapped as a gift',
                             'call before the delivery'])[1 + (n % 4)]
               END,
               timestamptz '2024-07-01 00:00:00Z' + n * interval '1 second' * {{Math.Max(1, 63_072_000 / Math.Max(1, orders))}}
          FROM generate_series(1::bigint, {{orders}}) AS n;
        ALTER TABLE public.orders ADD PRIMARY KEY (id);
        COMMENT ON TABLE public.orders IS $comment${{Recipe(orders)}}$comment$
        """;
}
